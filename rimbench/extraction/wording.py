"""The words that models use around an answer, as patterns. Repeats are bounded: time is linear in the text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rimbench.records import LETTERS

MAX_CANDIDATES = 100  # of one kind, counted from the end: real texts hold a handful, a hostile one 20,000
MAX_LINKS = 12  # in a clause of 200 characters
MAX_SLOT_CHARS = 1000  # what is read behind a cue: longer than any option


def words(*phrases: str, ends: str = "") -> re.Pattern[str]:
    """A pattern for any of `phrases` as whole words, in any case; `ends` is what must follow them."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b{ends}", re.I)


DASH = r"-(?![\d√∞.]|[k-z]\b)"
"""One that is no minus."""

# What statements are read by: boxes, cues, and what undoes a cue.
BOX = re.compile(
    r"\\{0,2}\b(?:[Bb]oxed|fbox|framebox|bbox|tcbox|f?colorbox(?: ?\{[^{}\n]{1,40}\}){1,2}(?= ?\{))"
    r"(?: ?\[[^\]\n]{0,80}\](?= ?\{))? ?(?:\\?\{|(?= ?\(?[A-J]\b))"
)
# A label in a box; what follows it is no part of a formula, and is read for itself.
BOX_LABEL = re.compile(r"[\[(] ?([A-Ja-j]) ?[\])]|([A-J])(?![\w'-])[).:]?|([a-j])(?:[).:](?!\w)|(?= ?$))")
BOX_LEAD = re.compile(
    r"(?:(?:the|correct|final|best|right|answers?|options?|choices?|letters?|is|are|either|both)\b|"
    rf"[\s:=>\"'{{,]|{DASH}){{0,40}}+",
    re.I,
)
BOX_DENIED = re.compile(r"[\s)]{0,3}(?:is|was|would be)(?:n't| not| wrong| incorrect| false)\b", re.I)
_KEPT = r"(?:correct|best|right|final|chosen|selected|my)"
ANSWER = re.compile(
    rf"(?<![A-Za-z])(?:answers?(?! choices| options)|final(?=:)|ans\b\.?|solution|{_KEPT}_?answer|"
    rf"{_KEPT}[ _]?(?:option|choice|response|selection|decision|verdict)|"
    r"(?<=[\"'])(?:choice|option|prediction|selection)(?=[\"'] ?:))"
    r"(?:[_ ](?:choice|option|letter|key|idx))?(?![A-Za-z])[\"\]]?"
    r"(?: ?\([A-J](?:(?:,? or |,? ?| ?[-/|] ?)\(?[A-J]\b\)?){1,9}\)(?= ?:))?|"  # "Answer (A, B, C or D):"
    r"^(?:choice|decision|key|output|prediction|response|selection|verdict|assistant)(?=:)",
    re.I | re.M,
)
SUPERLATIVE = words(r"best|correct|right|most [a-z]{1,20}|next step|diagnosis|conclusion")
CHOICE = words(
    r"go(?:ing)? with|went with|choos(?:e|ing)|chose|select(?:ing|ed)?|pick(?:ing)?|opt(?:ing)? for|conclude",
    r"settl(?:e|ing) (?:on|for)|lean(?:ing)? (?:towards?|to)|stick(?:ing)? with",
    r"(?:chang|revis|switch)(?:e|ed|ing)(?: (?:my|the|final|answer|choice)){0,3} to",
)
CORRECTION = words(
    r"it(?:'s| is)|(?:must|should|has to) be|correction|actually|make that|i mean|scratch that",
    r"by (?:elimination|exclusion)|on (?:further |second )?(?:reflection|thoughts?)|i(?:'d| would) say",
    r"left with|(?:leaving|leaves)(?: (?:us|only|with)){0,3}|(?:wait|no)(?=,)",
    r"(?:therefore|thus|hence|so|finally|in conclusion|think|say)(?=[,:]? \(?[A-J](?:[).:]|$))",
)
HEADING = re.compile(
    r"^\W{0,4}(?:the |my |final |correct |best |overall ){0,3}(?:answer|conclusion|response|decision|choice)\W{0,4}$",
    re.I | re.M,
)
LINK = re.compile(
    r"(?<!\d)[:=]|[:=](?!\d)|[→⇒➜➔⟹]|->|(?<!\d)(?<!\d )-(?=\s|[A-J]\b)|\b(?i:is|was|are|be|remains|becomes)\b|"
    r"^ ?(?=[a-j]\)?$)|^ ?(?=\(?[A-J]\)?(?:[.,;)](?!\w)|$| because\b| since\b| [^\x00-\u2fff]))",
    re.M,
)
CLAUSE_END = re.compile(r"[.!?;](?=\s|$)|\n")
FINAL = words("final")
LIST = re.compile(r"[ :]{0,2}\n+[^\n]{1,300}(?:\n+\W{0,3}|\s)B[).:]\s")
HEDGED = words("could", "might", "may", "would")
OTHER_PATIENTS = words(  # "in children the answer is": a question tells of one patient
    r"(?:in|for|among) (?!these|those|such|most|all)(?:[a-z]{1,15} ){0,2}?(?:children|adults|women|men|"
    r"infants|neonates|patients|people|adolescents|pregnancy|others)",
    r"in an? (?:child|infant|pregnant|different|other)",
    ends=r"[^.:;!?\n]{0,60}\Z",
)
PREFERENCE = words("best", "right", "my")  # "the best choice": said in remarks on other options, too
NEGATED = words("not", "never", "cannot", "incorrect", "wrong", "less", r"\w{2,6}n't")
SUPPOSED = re.compile(
    r"\b(?:if|whether|unless|suppos\w{1,5}|assum\w{1,5}|(?<!\bi )(?:might|may|could|would) (?:think|argue|say))\b"
    r"[^.,\n]{0,25}\Z|"
    r"(?:\b(?:incorrect|wrong|not|never|rather than|instead of|least|nor|or|than)|n't)"
    r"(?: an?| the| my)?(?: \w{1,15})? ?\Z",
    re.I,
)
CONDITION = words("if", "had", "were", "unless", ends=r"[^.\n]*\Z")
UNDONE = re.compile(
    r"\W{0,3}(?:option |choice )?\(?[A-J]\)? (?:would|could|might|may|if|(?:is|was)(?:n't| not| incorrect| wrong))\b"
)
RETRACTED = words(
    r"wait|no|not|actually|however|but|correction|rather|instead|reconsider\w*|hmm|sorry|changed?|scratch",
    r"make that|i mean",
)
# A word of change anywhere before the new answer, or a word of inference in its own sentence.
CHANGED = re.compile(
    r"\b(?:wait|actually|correction|reconsider\w*|hmm|sorry|scratch|make that|i mean|mistake\w?|oops|"
    r"reflection|second thought|(?:chang|revis|switch)(?:e|ed|es|ing))\b|"
    r"\b(?:so(?! why)|therefore|thus|hence|in conclusion|finally)\b[^.!?\n]*\Z",
    re.I,
)
CONNECTIVES = frozenset(
    [
        *LETTERS.lower(),
        "and",
        "or",
        "it",
        "is",
        "the",
        "my",
        "also",
        "so",
        "therefore",
        "thus",
        "option",
        "final",
        "best",
    ]
)

# A letter as the subject of a sentence.
SUBJECT = (
    r"(?P<named>\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer)s? )?(?P<first>\([A-J]\)|\b[A-J]\b[).:]?)"
    r"(?P<more>(?:(?: ?, ?| ?/ ?|,? and |,? or )(?:\([A-J]\)|[A-J]\b)){0,9})"
)
CALLED = re.compile(
    SUBJECT + r"(?P<gap>(?: ?\([^()\n]{1,200}\))?,?)"
    r"(?: (?:is|are|remains|(?:would |must |should |has to )?be|seems|appears)(?: to be)?(?: \w{1,12}ly| both)?| as)?"
    r" (?:the|our|my) (?:(?!wrong|incorrect|least|worst|second|first|other)[a-z]{1,20} ){0,3}?"
    r"(?:answer|choice|option|response)s?\b"
)
VERDICT = re.compile(
    SUBJECT + r"(?P<gap>(?:(?!\(?\b[A-J]\b)[^.\n?]){0,200}?)(?: (?:is|are|remains|seems|appears|(?:would|must) be|"
    r"fits)(?: to be)?(?: \w{1,12}ly| both| all| also){0,2}(?: the| a| our)? "
    r"(?:correct|right|best|answer|better|most [a-z]{1,20}|safer|prefer(?:red|able)|"
    r"more (?:likely|appropriate|plausible))\b| ?(?:[-:(|] ?(?i:(?:the )?(?:correct|right|best))\b|[✅✔])|"
    r"(?<=\b[A-J][).:]) (?i:correct|right|true)(?= ?(?:[-:.,;]|$)))",
    re.M,
)
SUBJECT_MAY_FOLLOW = re.compile(
    r"(?:^|\n|[.,:;!?(|-] ?|\b(?:that|so|thus|therefore|hence|think|believe|conclude|only|both|but|making|makes|"
    r"leaving|because|since|either|then) )$",
    re.I,
)
DISMISSED = re.compile(
    r"[^.;,\n]{0,80}?(?:n't|\b(?:not|incorrect|wrong|unlikely|less|false|contraindicated|ruled out|excluded|"
    r"inappropriate))\b",
    re.I,
)

# Letters. Signs of writing without spaces, which other languages' wordings read, are no end of an English name.
# A bare capital is a name before an end, punctuation, or a word that can only follow a name.
NAME_ENDS = (
    r"(?= ?(?:$|[)\],;!?:(/&|}\"<]|\.(?!\w)|-(?!\w)|[^\x00-\u2fff\u3040-\ud7ff\uf900-\ufaff])| "
    r"(?:because|since|as|which|due|given|and|or|but|is|are|based|here|rather|not|instead|over)\b)"
)
TOKEN = re.compile(rf"\(([A-Ja-j])\)|\(?\b([A-J])\b{NAME_ENDS}|\(?\b([a-j])(?=\)|:|\.?[\"'}}]{{0,3}} ?$)", re.M)
JOINED = re.compile(
    r" ?(?:,? ?\b(?:and/or|and|or|vs\.?|as well as|along with|together with|plus)\b|[,;/&+|]|(?=\([A-J]\))) ?"
    r"(?:options? |choices? )?"
    r"(?:\(([A-J])\)|([A-J])\b(?= ?(?:$|[^\w\s'-])| (?:and|or|are)\b))",
    re.M,
)
JOINER = re.compile(
    r"[.,;()\]\"' ]{0,3}(?P<word>\b(?:and/or|and|or|as well as|along with|together with|in combination with|"
    r"combined with|followed by|plus|then|with|vs|versus|nor)\b\.?|[,;/&→]|\+(?!\d)|\n+[-+>] )[\s\"'(]{0,3}",
    re.I,
)
FILLER = re.compile(
    rf"(?:[\s:=>\"'{{,]|{DASH}|(?:options?|choices?|letter|answer|the|to|either|both|most|likely|probably|possibly|maybe|perhaps|clearly|indeed|"
    r"alternatively|also|therefore|thus|definitely|correct|best|again|still|remains)\b(?!-)){0,40}+",
    re.I,
)
NOT = re.compile(r"(?:not|neither|never)\b", re.I)
# What is said of the option that stands right before: "is ruled out", ": incorrect", "would be harmful".
_DENYING = (
    r"(?:incorrect|wrong|false|untrue|invalid|inappropriate|unsuitable|inadvisable|unlikely|implausible|improbable|"
    r"less (?:likely|appropriate|suitable|effective|probable|plausible|relevant|useful)|"
    r"least (?:likely|appropriate|suitable)|contra-?indicated|(?:ruled|crossed|left|ticked|struck) (?:out|off)|"
    r"set aside|excluded|eliminated|rejected|dismissed|discarded|discounted|disqualified|harmful|dangerous|unsafe|"
    r"hazardous|detrimental|unhelpful|useless|ineffective|insufficient|inadequate|irrelevant|unnecessary|avoided|"
    r"inconsistent|incompatible|untenable|unsupported|suboptimal|inferior|premature|out of the question|"
    r"a (?:distractor|mistake|wrong|poor|bad)|the (?:wrong|worst|incorrect)|worse|worsen|aggravate|exacerbate|"
    r"no (?:option|choice|role|place|use|benefit|indication|good|help|match)|too [a-z]{2,20})"
)
_GOOD = (
    r"(?:the|an?|correct|right|indicated|appropriate|likely|best|suitable|recommended|possible|plausible|needed|"
    r"necessary|helpful|useful|consistent|supported|effective|safe|applicable|relevant|valid|true|advised|required|"
    r"preferred|warranted|be)"
)
_VERBS = (
    r"(?:is|are|was|were|be|been|seems?|appears?|remains?|looks?|becomes?|can|could|should|must|may|might|would|will|"
    r"has|have|does|do|did|fails?|cannot)"
)
_RUNS_ON = rf"(?:(?!\b(?:because|since|as|while|although|though|but|if|given|than|and|{_VERBS})\b)[^.;,:\n])"
_ADVERB = r"(?: (?!(?:because|since|as|but|and|only|not|never|least|less)\b)[^\s.;,:]{1,20})"
REFUTED = re.compile(
    rf"[).:\]\"' ]{{0,3}}(?:, {_RUNS_ON}{{1,80}}, ?|, (?={_VERBS}\b)|{_RUNS_ON}{{0,80}}?(?:, (?:which|that) )?)"
    rf"(?:\b{_VERBS}\b{_ADVERB}{{0,4}}? (?:{_DENYING}|not(?: (?!only)\w{{1,12}}ly| quite| very| at all)? {_GOOD})\b|"
    rf"(?P<weak>\b(?:is|are|was|were|does|do|did|would|could|should|has|ca|wo)n't\b|\b(?:cannot|fails? to)\b|"
    rf"\b(?:does|do|did|would|could|should|can|will) not\b(?! only| just| merely))|"
    rf" ?[:(-] ?(?:(?:this|that|it|is|are|clearly|simply|also|therefore|thus) ){{0,3}}(?:{_DENYING}|not )\b|"
    r" ?[:(|-]? ?[✗✘❌✖])",
    re.I,
)

# Lines and sentences.
DENIED = words(
    r"not|rather than|instead of|unlike|over|than|exclud\w{1,4}|rul\w{1,3} out|eliminat\w{1,4}|except|against",
    r"avoid\w{0,3}|incorrect|wrong|without|no|(?:is|are|was|were|do|does|did|ca|wo|would|could|should)n'?t",
    ends=r"(?: \w{1,15}){0,3}[ (]{0,2}$",
)
LABEL = re.compile(
    r"(?:[-+>⇒→∴✅✔] ?|\d{1,2}[.)] )?(?=(?:(?:[Oo]ption|[Cc]hoice) )?"
    r"(?:\([A-Ja-j]\)|[A-J](?:[).:]|(?= -+ )|(?= \()|!?$)|[a-j](?:\)|\.?$))(?:\s|$|[.,:]))"
)
ANSWER_OF_A = re.compile(r"A[:.] ?(?=(?P<alone>\(?[B-J]\)?[.!]?$)|\([B-J]\)|[B-J][).:]\s)")
VERB = words("is", "are", "was")
OTHERS = words("others?", "incorrect", "wrong", "explanation", "rationale", "why")
SENTENCE_END = re.compile(r"(?<!\b[A-J]\.)(?<=[.!?])\s+|\n+")
CONCLUDING = words(
    r"therefore|thus|hence|so|conclu\w{3,6}|summary|overall|consequently|answer|correct|best|most|likeliest",
    r"(?:would|should) be|next step|i would|i think|i believe|given",
    r"based on|diagnosis|points? to|supports?|consistent with|corresponds?",
)
FORMULA = re.compile(r"[=<>^\\√∑∫±≈]|\d ?[+×] ?\d")
MUSING = words(r"let me|let's|consider|what about|look at|maybe|perhaps|alternatively|hmm|analy[sz]e", ends=r"|\?$")
REMARK = re.compile(
    r"\bwould be (?:(?:used|given|indicated|reserved|appropriate|correct|considered|chosen|best) )?"
    r"(?:if\b|(?:for|when|in) (?!this|the|her|his|him|our|these|such))",
    re.I,
)
BETWEEN = re.compile(r"\b[Bb]etween (?:options? )?\(?[A-J]\)? and (?:option )?\(?[A-J]\b\)?")
MENTION = re.compile(
    r"(?:\b(\w{1,20}) )?\(([A-J])\)|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter) \(?([A-Ja-j])\b\)?"
)
TERMS = frozenset(["vitamin", "hepatitis", "influenza", "type", "group", "factor", "class", "grade", "stage"])
# At the start of a line: "Question 2:", "User:", "Exercise 3", "2. A 45-year-old man".
NEXT_QUESTION = re.compile(
    r"^(?=(?:(?:next |new )?(?:question|q|user|human|instruction)s?(?: ?\d{1,3})?(?: ?[:.]|$)|"
    r"(?:question|problem|exercise|example|case) \d|\d{1,3}[.)] an? \d{1,3}[- ](?:year|month|week|day)s?\b))",
    re.I | re.M,
)
REFUSAL = words(
    r"(?:i'?m|i am|we are|we'?re) (?:\w{1,8} )?(?:sorry|unable|not able)\b(?=[^.\n]{0,60}(?:can'?t|can ?not|won'?t|"
    r"unable|not able|to (?:assist|help|provide|answer|give|comply|offer)))",
    r"(?:i|we) (?:can'?t|can ?not|won'?t|will not|must decline to|decline to) (?:\w{1,12}ly )?"
    r"(?:assist|help|provide|answer|give|offer|comply|fulfil|engage|discuss|respond)",
    r"as an ai|i apologi[sz]e, but i (?:can|am)",
)


@dataclass(frozen=True, slots=True)
class LanguageWording:
    """How one language words an answer: the cues, what links a letter to them, and what undoes them.

    `answer` and `called` name the answer itself, `correct` and `verdict` say what is right, `choice` stands right
    before a letter. `alone` is a line that holds a letter and words that say nothing, `gap` what has to stand between
    a bare letter and what is said of it, `native` the letters of another alphabet that stand for A, B, C ...
    """

    answer: re.Pattern[str]
    correct: re.Pattern[str]
    choice: re.Pattern[str]
    link: re.Pattern[str]
    called: re.Pattern[str]
    verdict: re.Pattern[str]
    negated: re.Pattern[str]
    supposed: re.Pattern[str]
    may_follow: re.Pattern[str]
    asked: re.Pattern[str]
    questioned: re.Pattern[str]
    undone: re.Pattern[str]
    token: re.Pattern[str]
    joined: re.Pattern[str]
    joiner: re.Pattern[str]
    filler: re.Pattern[str]
    denial: re.Pattern[str]
    contrast: re.Pattern[str]
    alone: re.Pattern[str] | None = None
    gap: re.Pattern[str] | None = None
    native: re.Pattern[str] | None = None
    native_letters: Mapping[str, str] = field(default_factory=dict)


ENGLISH = LanguageWording(
    answer=ANSWER,
    correct=SUPERLATIVE,
    choice=CHOICE,
    link=LINK,
    called=CALLED,
    verdict=VERDICT,
    negated=NEGATED,
    supposed=SUPPOSED,
    may_follow=SUBJECT_MAY_FOLLOW,
    asked=re.compile(r"[^.!\n]{0,60}(?:\?|\bif\b)"),
    questioned=re.compile(r"(?!)"),  # the reader looks for the question mark itself
    undone=UNDONE,
    token=TOKEN,
    joined=JOINED,
    joiner=JOINER,
    filler=FILLER,
    denial=NOT,
    contrast=re.compile(r"(?!)"),  # the reader reads "not B but C" itself
)
