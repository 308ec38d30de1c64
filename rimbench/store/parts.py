"""What a manifest's tables hold: the one schema by which they are read, so that who reports a run can rely on them.

Required is what every build and every import has written; what one of them leaves out, or knows nothing of, may be
missing or null. Keys of later builds are left as they are.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from rimbench.records import MOST_SAMPLES


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class _Suite(_Part):
    content_sha256: str
    wording: dict[str, str] | None = None


class _Engine(_Part):
    name: str
    device: str
    dtype: str
    attention: str | None = None
    graphs: str | None = None
    prefix_cache: bool | None = None
    batch_size: int | None = None


class _Memory(_Part):
    blocks: Annotated[int, Field(ge=0)] | None = None
    memory_tokens: int | None = None


class _Answer(_Part):
    mode: str | None = None
    extraction: str | None = None
    max_new_tokens: int | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: float | None = None
    reasoning_tags: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(default_factory=list)


class _System(_Part):
    prompt: dict[str, Any] | None = None
    memory: _Memory | None = None
    answer: _Answer | None = None


class _Controls(_Part):
    permute_options: int | None = None
    blind: bool | None = None


class _Import(_Part):
    format: str | None = None
    sha256: str | None = None
    reordered: bool | None = None


class _Identity(_Part):
    weights_sha256: str | None = None
    suite: _Suite
    system: _System | None = None
    controls: _Controls | None = None
    prompts_sha256: str | None = None
    seed: int | None = None
    engine: _Engine
    imported: Annotated[_Import | None, Field(alias="import")] = None


class _ModelSource(_Part):
    source: str
    revision: str | None = None


class _SuiteSource(_Part):
    kind: str | None = None
    name: str | None = None
    file: str | None = None
    split: str | None = None
    revision: str | None = None
    seed: int | None = None
    slice: str | None = None


class Parts(_Part):
    """The values of a manifest that a report or an audit looks into; `departures` are pairs."""

    n: Annotated[int, Field(ge=0)]
    samples: Annotated[int, Field(ge=0, lt=MOST_SAMPLES)]
    identity: _Identity
    model_source: _ModelSource
    suite_source: _SuiteSource
    departures: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]] | None = None
