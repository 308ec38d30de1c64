"""Published figures -> verdicts: what a model card's numbers can and cannot support, without a model or a network.

    claims file (TOML) -> schema -> audit: figures and claims -> document (JSON) or tables
                                       ^
                        measured: accuracies of runs, where there are any

| module    | owns                                                                                         |
|-----------|----------------------------------------------------------------------------------------------|
| quantity  | a printed figure, its unit, and what its rounding hides                                      |
| entries   | the figures of a file, and what its names stand for                                          |
| claim     | what every claim has; kinds: one file each, its fields, its verdict, what holds it           |
| schema    | the whole file: that everything it names is there                                            |
| catalogue | the claims files that come with rimbench                                                     |
| finding   | a verdict, and what it stands on                                                             |
| figures   | each figure by itself: interval, count, floor                                                |
| floors    | the passes and the least time of a published one                                             |
| pairs     | two accuracies against each other, and Holm over a family                                    |
| audit     | one file, judged as a whole                                                                  |
| measured  | published against measured; held: claims against measured                                    |

`docs/claims.md` says how to write a claims file and how each kind is judged.
"""
