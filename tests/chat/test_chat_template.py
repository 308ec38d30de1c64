"""Chat templates are programs of strangers: they write what transformers writes, and can do nothing else."""

import subprocess
import sys
import threading

import pytest
from transformers import AutoTokenizer

from rimbench.chat.template import ChatTemplate, TemplateFault
from rimbench.errors import ModelError

HELLO = [{"role": "user", "content": "Which drug?\nA: x"}]
# What each template is given beside the messages is {"bos_token": "<s>", "enable_thinking": False}.
TEMPLATES = {
    "trimmed": (
        "{{ bos_token }}{% for m in messages %}\n  {% if m.role == 'user' %}\n[{{ m['content'] | trim }}]\n"
        "{% endif %}\n{% endfor %}"
    ),
    "json": "{{ messages | tojson }} {{ messages | tojson(indent=2) }} {{ {'é': '<'} | tojson }}",
    "namespace": "{% set s = namespace(n=0) %}{% for m in messages %}{% set s.n = s.n + 1 %}{% endfor %}{{ s.n }}",
    "loop controls": "{% for i in range(9) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}|",
    "undefined": "{{ nothing }}{% if tools is none %}none{% endif %}{% if enable_thinking is false %}!{% endif %}",
    "macro": "{% macro say(x) %}<{{ x }}>{% endmacro %}{{ say(messages[0].content) }}{{ dict(a=1).a }}",
}


SLOW = "{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}"
"""Some ten seconds of counting, which would end by itself."""


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_writes_what_transformers_writes(tokenizer, name):
    theirs = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    theirs.chat_template = TEMPLATES[name]
    given = {"bos_token": "<s>", "enable_thinking": False}
    wanted = theirs.apply_chat_template(HELLO, tokenize=False, add_generation_prompt=True, **given)
    variables = {**theirs.special_tokens_map, **given}
    assert ChatTemplate(TEMPLATES[name], variables, "2025-01-01").render([HELLO]) == [wanted]


@pytest.mark.parametrize("source", ["{% if %}", "{{ messages", "{% endfor %}"])
def test_a_template_that_does_not_parse_is_said_to(source):
    with pytest.raises(TemplateFault, match="does not parse"):
        ChatTemplate(source, {}, "2025-01-01").render([HELLO])


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ raise_exception('System first') }}", "TemplateError: System first"),
        ("{{ messages[0]['nothing']['more'] }}", "UndefinedError"),
        ("{{ messages[0]['content'] + 1 }}", "TypeError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ messages[5].content.x }}", "UndefinedError"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
        ("{{ namespace(_x=1) }}", "SecurityError"),
        ("{% include 'other' %}", "TypeError"),
    ],
)
def test_what_a_template_raises_is_told_in_few_words(source, why):
    with pytest.raises(TemplateFault, match=why) as caught:
        ChatTemplate(source, {}, "2025-01-01").render([HELLO])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_a_template_that_takes_more_than_a_second_of_its_own_time_is_stopped_off_the_main_thread_too():
    slow = ChatTemplate(SLOW, {}, "2025-01-01")
    caught = []

    def render():
        try:
            slow.render([HELLO])
        except TemplateFault as fault:
            caught.append(str(fault))

    thread = threading.Thread(target=render)
    thread.start()
    thread.join(60)
    assert caught == ["was stopped: it took more than 1 s of processor time for one conversation"]


def test_a_template_that_writes_far_more_than_a_chat_is_refused():
    long = "{% for i in range(100) %}{{ 'x' * 200000 }}{% endfor %}"
    with pytest.raises(TemplateFault, match="20000000 characters"):
        ChatTemplate(long, {}, "2025-01-01").render([HELLO])


def test_a_thousand_conversations_may_take_more_than_a_second_together():
    # Each takes some milliseconds, so that together they are beyond what one may take.
    busy = ChatTemplate("{% for i in range(20000) %}{% endfor %}{{ messages[0].content }}", {}, "2025-01-01")
    chats = [[{"role": "user", "content": str(i)}] for i in range(1500)]
    assert busy.render(chats) == [str(i) for i in range(1500)]


def test_a_stopped_template_is_asked_again_in_a_new_process():
    choosy = ChatTemplate(
        "{% if messages[0].content == 'slow' %}" + SLOW + "{% endif %}{{ messages[0].content }}", {}, "2025-01-01"
    )
    with pytest.raises(TemplateFault, match="was stopped"):
        choosy.render([[{"role": "user", "content": "slow"}]])
    assert choosy.render([[{"role": "user", "content": "fast"}]]) == ["fast"]


def test_the_date_and_chance_are_the_same_at_every_start():
    source = "{{ strftime_now('%d %B %Y, %H:%M:%S') }} {{ range(1000) | random }} {{ range(1000) | random }}"
    first = ChatTemplate(source, {}, "2024-07-26").render([HELLO, HELLO])
    assert first[0].startswith("26 July 2024, 00:00:00 ") and first[0] == first[1]
    assert ChatTemplate(source, {}, "2024-07-26").render([HELLO]) == first[:1]


def test_the_process_of_a_template_imports_nothing_from_the_folder_that_a_command_is_started_in(tmp_path):
    (tmp_path / "jinja2.py").write_text("raise SystemExit('the folder was imported from')")
    code = (
        "from rimbench.chat.template import ChatTemplate\n"
        "print(*ChatTemplate('{{ messages[0].content }}', {}, '2025-01-01').render([[{'content': 'hi'}]]))"
    )
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "hi"


def test_a_template_that_takes_a_message_in_parts_alone_is_given_parts(writer):
    parts = (
        "{% for m in messages %}<{{ m['role'] }}>{% for p in m['content'] %}{% if p['type'] == 'text' %}"
        "{{ p['text'] }}{% endif %}{% endfor %}{% endfor %}"
    )
    assert [chat.text for chat in writer(parts).write(["Which?\nA: x"], ["1"])] == ["<user>Which?\nA: x"]
    strict = "{% for m in messages %}{% if m.content is string %}{{ raise_exception('parts') }}{% endif %}"
    strict += "{{ m.content[0].text }}{% endfor %}"
    assert [chat.text for chat in writer(strict).write(["Which?"], ["1"])] == ["Which?"]


@pytest.mark.parametrize("how", ["messages[0].content | trim", "messages[0].content.split() | join(' ')"])
def test_a_template_may_trim_a_message_and_set_its_spaces(writer, how):
    (chat,) = writer(f"{{{{ {how} }}}}").write(["Which?\n A: x "], ["1"])
    assert chat.text.split() == ["Which?", "A:", "x"]


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages[0].role }}",
        "{{ messages[0].content | e }}",
        "{{ messages[0].content[:20] }}",
        "{{ messages[0].content | upper }}",
        "{{ messages[0].content | replace('<', '') }}",
        "{{ messages[1:] }}",
    ],
)
def test_a_prompt_that_does_not_hold_the_questions_text_is_never_asked(writer, template):
    with pytest.raises(ModelError, match=r"drops or changes the text of item '1[67]'") as caught:
        writer(template).write(["Is it so?", "Is x < 5 & y > 3, as was said?"], ["16", "17"])
    assert "system 'mine'" in str(caught.value) and "\n" not in str(caught.value)


def test_a_template_that_raises_names_the_system_and_what_to_do(writer):
    with pytest.raises(ModelError, match=r"of system 'mine' failed \(TemplateError: no\).*mend chat_template.jinja"):
        writer("{{ raise_exception('no') }}").write(["Which?"], ["1"])
