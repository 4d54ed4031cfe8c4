"""Train the model and write it to a file: train.py MODEL.

The data comes with scikit-learn: 569 tumours, 30 measures of each, and what it turned out to be. A quarter is held
back to say how good the model is. Every choice is seeded, so the same packages make the same model.
"""

import sys

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

data = load_breast_cancer()
labels = data.target_names[data.target]
train_x, test_x, train_y, test_y = train_test_split(
    data.data, labels, test_size=0.25, random_state=7, stratify=labels
)
# The imputer comes first: a measure that is missing counts as the median of those that were seen in training.
model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(C=0.1))
model.fit(train_x, train_y)
joblib.dump({"model": model, "columns": data.feature_names.tolist()}, sys.argv[1])
print(f"{len(test_y)} tumours held back, {model.score(test_x, test_y):.1%} of them told right")
