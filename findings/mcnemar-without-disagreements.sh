#!/bin/sh
# McNemar's test calls two systems that never disagree different, with p = 0.
#
# Library   statsmodels 0.15.0 (numpy 2.4.6, scipy 1.17.1), statsmodels.stats.contingency_tables.mcnemar
# Input     a table of two systems on 20 items: both right on 12, both wrong on 8, no item that only one has right
# Seen      exact=False with correction=True, the default of both but for exact, divides 1 by 0: the statistic is
#           infinite and the p-value 0.0. exact=True says 1.0, which is what such a table shows. numpy warns of a
#           division; the result itself bears no mark.
# Matters   a script that takes the asymptotic test for every pair of systems reports the strongest significance
#           for the pair that is the same. rimbench takes exact tests of the items on which a pair disagrees.
#
# Printed
#   exact: p = 1.0
#   asymptotic with correction: statistic = inf, p = 0.0
#   asymptotic without correction: statistic = nan, p = nan
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1
"$folder/env/bin/python" -W ignore - <<'END'
import math

from statsmodels.stats.contingency_tables import mcnemar

same = [[12, 0], [0, 8]]
exact = mcnemar(same, exact=True)
corrected = mcnemar(same, exact=False, correction=True)
plain = mcnemar(same, exact=False, correction=False)
print(f"exact: p = {exact.pvalue}")
print(f"asymptotic with correction: statistic = {corrected.statistic}, p = {corrected.pvalue}")
print(f"asymptotic without correction: statistic = {plain.statistic}, p = {plain.pvalue}")
assert exact.pvalue == 1.0
assert corrected.statistic == math.inf and corrected.pvalue == 0.0
END
