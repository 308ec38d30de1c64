"""Pure statistics: outcomes as arrays in, estimates with interval, method, n and seed out.

Nothing here touches a disk, a clock or an engine, and nothing here imports another part of rimbench.

| module      | owns                                                                            |
|-------------|---------------------------------------------------------------------------------|
| estimate    | what an estimate is; one proportion; baselines                                  |
| bootstrap   | the BCa and cluster bootstrap of a mean, and the sign-flip test, on counts      |
| passk       | pass@k, maj@k, chance levels                                                    |
| paired      | two systems on the same items: table, intervals, exact tests                    |
| unpaired    | two proportions on different items: published figures, gaps between suites      |
| times       | means and ratios of times that were taken one after another                     |
| verdict     | Holm, equivalence, and the one word a pair of systems gets                      |
| calibration | ECE, Brier, reliability, risk against coverage                                  |
| halves      | what is chosen on and what is judged on                                         |
| stopping    | answers in stages: a cascade, memory that stops when it is sure                 |
| selective   | how much may be answered at a risk that is guaranteed                           |
| temperature | one temperature for a readout's probabilities                                   |
| power       | what N items can detect, and how many a margin needs                            |

Rules that hold throughout: undefined is None, never 0 or NaN; results do not depend on the order of items;
swapping A and B negates a difference and its interval exactly; scipy is imported inside the function that
needs it, because `import scipy.stats` alone takes half of the time that a report may take.

`benchmarks/coverage.py` simulates every interval's coverage; the defaults follow its table.
"""
