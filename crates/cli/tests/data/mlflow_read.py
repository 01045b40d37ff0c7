"""Prints all that an MLflow server has, as its own client reads it: one JSON document."""

import hashlib
import json
import sys
import tempfile

from mlflow import MlflowClient

client = MlflowClient()


def files(run_id, path=None):
    """Digest of each file of a run, by path; as Graft has it, the length comes first."""
    found = {}
    for one in client.list_artifacts(run_id, path):
        if one.is_dir:
            found.update(files(run_id, one.path))
        else:
            with tempfile.TemporaryDirectory() as folder:
                local = client.download_artifacts(run_id, one.path, folder)
                with open(local, "rb") as file:
                    content = file.read()
                length = len(content).to_bytes(8, "little")
                found[one.path] = hashlib.sha256(length + content).hexdigest()
    return found


def described(run):
    metrics = {
        key: [[point.step, point.value] for point in client.get_metric_history(run.info.run_id, key)]
        for key in run.data.metrics
    }
    inputs = [
        {"name": one.dataset.name, "digest": one.dataset.digest, "tags": {tag.key: tag.value for tag in one.tags}}
        for one in run.inputs.dataset_inputs
    ]
    return {
        "id": run.info.run_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "ended": run.info.end_time,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": metrics,
        "inputs": inputs,
        "files": files(run.info.run_id),
    }


experiments = {
    experiment.name: [described(run) for run in client.search_runs([experiment.experiment_id])]
    for experiment in client.search_experiments()
}
models = {
    model.name: {
        "aliases": dict(client.get_registered_model(model.name).aliases),
        "versions": {
            version.version: {"run": version.run_id, "source": version.source, "tags": version.tags}
            for version in client.search_model_versions(f"name = '{model.name}'")
        },
    }
    for model in client.search_registered_models()
}
json.dump({"experiments": experiments, "models": models}, sys.stdout)
