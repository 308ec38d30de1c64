"""The checkpoint card: what made these weights, so that they can be made again."""

import json
from collections.abc import Sequence

from rimbench.training.data import Corpus
from rimbench.training.recipe import Recipe


def write_card(recipe: Recipe, corpus: Corpus, made_from: dict[str, str | int | None], notes: Sequence[str]) -> str:
    """The card's text: recipe, data, what it was made from (base, seed, commit), and a line for every stage."""
    facts = "\n".join(f"| {name} | {value} |" for name, value in made_from.items())
    remarks = "".join(f"| | {remark} |\n" for remark in corpus.remarks)
    return f"""# {recipe.description}

| | |
|---|---|
{facts}
| recipe sha256 | {recipe.sha256()} |
| data sha256 | {corpus.sha256} |
| data | {corpus.tally} |
{remarks}
## Stages

{chr(10).join(notes)}

## Recipe

```json
{json.dumps(recipe.model_dump(), indent=2)}
```
"""
