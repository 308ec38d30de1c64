#!/bin/sh
# The Brier score of the same predictions doubles when an option that nobody can choose is added.
#
# Library   scikit-learn 1.9.1 (numpy 2.4.6, scipy 1.17.1), sklearn.metrics.brier_score_loss
# Input     three answered questions, the probabilities of A and B, and the right letters; then the same with a
#           third option C of probability 0 in every row
# Seen      with two labels the score is the mean square of one column, with three or more the sum over the
#           columns, and both sides of a pair of options count: twice the number. scale_by_half=False and True
#           each give one scale for both; its default, "auto", goes by the number of labels.
# Matters   scores of suites with two options (yes or no) and with four do not stand on one scale, and no warning
#           says so.
#
# Printed
#   labels A, B:    0.163
#   labels A, B, C: 0.327
#   scale_by_half=False: 0.327 and 0.327
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/env/bin/python" - <<'END'
from sklearn.metrics import brier_score_loss

gold = ["A", "B", "B"]
two = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]
three = [[*row, 0.0] for row in two]
narrow = brier_score_loss(gold, two, labels=["A", "B"])
wide = brier_score_loss(gold, three, labels=["A", "B", "C"])
print(f"labels A, B:    {narrow:.3f}")
print(f"labels A, B, C: {wide:.3f}")
unscaled = [
    brier_score_loss(gold, rows, labels=labels, scale_by_half=False)
    for rows, labels in ((two, ["A", "B"]), (three, ["A", "B", "C"]))
]
print(f"scale_by_half=False: {unscaled[0]:.3f} and {unscaled[1]:.3f}")
assert abs(wide - 2 * narrow) < 1e-12
assert abs(unscaled[0] - unscaled[1]) < 1e-12
END
