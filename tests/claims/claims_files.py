"""Parts of claims files, for the tests beside this module."""

HEAD = 'title = "T"\nsource = "https://example.org"\n'


def accuracy(name, value, n=1000, suite="s", extra=""):
    n = n if isinstance(n, int) else f'"{n}"'
    return (
        f'[[figure]]\nkind = "accuracy"\nid = "{name}-{suite}"\nsystem = "{name}"\nsuite = "{suite}"\n'
        f'value = "{value}"\nn = {n}\nsource = "table"\n{extra}\n'
    )


def latency(name, value, quantity="answer", extra=""):
    return (
        f'[[figure]]\nkind = "latency"\nid = "{name}"\nsystem = "{name}"\nvalue = "{value}"\n'
        f'quantity = "{quantity}"\nsource = "table"\n{extra}\n'
    )


def claim(kind, rest, name="c"):
    return f'[[claim]]\nkind = "{kind}"\nid = "{name}"\ntext = "it is so"\nsource = "text"\n{rest}\n'


def comparison(relation, systems='["a"]', against='["b"]', suites='["s"]', extra=""):
    rest = f'relation = "{relation}"\nsystems = {systems}\nagainst = {against}\nsuites = {suites}\n{extra}'
    return claim("comparison", rest)


QWEN3 = (
    '[[model]]\nname = "Qwen3-1.7B"\nsource = "config.json"\nlayers = 28\nhidden = 2048\nintermediate = 6144\n'
    "query_heads = 16\nkey_value_heads = 8\nhead_size = 128\nvocabulary = 151936\n"
)
ON_H100 = 'model = "Qwen3-1.7B"\ndevice = "H100 SXM"\ndtype = "bf16"\nbatch = 1\nprompt_tokens = 300\n'


def numbers(judgement):
    return {number.name: number.value for number in judgement.numbers}
