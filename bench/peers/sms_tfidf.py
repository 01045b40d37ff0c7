"""Word and character n-grams (TF-IDF) with logistic regression on a classification run's own split.

Usage: sms_tfidf.py RUN_DIR/data [N ...]

Learns from the first N examples of a seeded shuffle of train.jsonl (by default 50, 200 and all), for five seeds, and scores
eval.jsonl. Prints one JSON line per N: accuracy with its 95 % bootstrap interval over the held-out examples, macro F1, and
the range of accuracies over the seeds. The regularisation is chosen by cross-validation on the training examples only.
Needs scikit-learn.
"""
import json, random, sys
from pathlib import Path
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union

SEEDS = 5


def read(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["input"] for row in rows], [row["output"] for row in rows]


def learn(texts, labels):
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    model = make_pipeline(features, LogisticRegression(max_iter=2000, class_weight="balanced"))
    folds = max(2, min(5, min(labels.count(label) for label in set(labels))))
    search = GridSearchCV(model, {"logisticregression__C": [1, 10, 100]}, scoring="accuracy", cv=folds)
    return search.fit(texts, labels)


def interval(right, draws=2000):
    chance = random.Random(1)
    means = sorted(sum(chance.choices(right, k=len(right))) / len(right) for _ in range(draws))
    return means[int(0.025 * draws)], means[int(0.975 * draws)]


def main():
    folder = Path(sys.argv[1])
    (texts, labels), (eval_texts, truth) = read(folder / "train.jsonl"), read(folder / "eval.jsonl")
    for n in [int(n) for n in sys.argv[2:]] or [50, 200, len(texts)]:
        accuracies, f1s, right = [], [], [0.0] * len(truth)
        seeds = SEEDS if n < len(texts) else 1
        for seed in range(seeds):
            chosen = random.Random(seed).sample(range(len(texts)), n)
            said = learn([texts[i] for i in chosen], [labels[i] for i in chosen]).predict(eval_texts)
            accuracies.append(sum(a == b for a, b in zip(said, truth)) / len(truth))
            f1s.append(f1_score(truth, said, average="macro"))
            right = [sum_so_far + (a == b) / seeds for sum_so_far, a, b in zip(right, said, truth)]
        print(json.dumps({
            "train": n,
            "eval": len(truth),
            "seeds": seeds,
            "accuracy": round(sum(accuracies) / seeds, 3),
            "interval": [round(end, 3) for end in interval(right)],
            "seed_range": [round(min(accuracies), 3), round(max(accuracies), 3)],
            "macro_f1": round(sum(f1s) / seeds, 3),
        }))


if __name__ == "__main__":
    main()
