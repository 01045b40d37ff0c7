// Made by `npm run types` from crates/server/openapi.json; not to be changed by hand.

import type { Json, JsonObject } from "../lib/json";
export interface paths {
    "/api/v1/admin/training/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Recent training runs, newest first. */
        get: operations["recent_runs"];
        put?: never;
        post?: never;
        /** Deletes every run that has ended. */
        delete: operations["clear_runs"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/training/runs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes one run, by its number or its name. */
        delete: operations["delete_one"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/training/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reads the Ask AI database again, if it is configured, and queues a training on the approved examples. Its version
         *     becomes active, and `latest` in the folder of the settings, unless it is worse than the one before. If nothing changed
         *     since the last training, that one is returned with a `note`, and none is queued. If the base model is missing, the run
         *     downloads it first. */
        post: operations["trigger"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ask-ai/suggest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The Ask AI fallback: adds a suggestion of the adapter if the service's own are missing or weak. */
        post: operations["suggest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the base models on this machine, and the downloads with their progress. */
        get: operations["list_bases"];
        put?: never;
        /** Downloads a missing base model in the background; continues an earlier download. */
        post: operations["pull_base"];
        /** Removes a base model, and deletes the files that Graft downloaded only for it. */
        delete: operations["remove_base"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bases/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops a download; downloaded parts are kept, and the next download continues. */
        post: operations["cancel_pull"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bases/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Details of a base model on this machine. */
        get: operations["show_base"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bases/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a base model is on this machine, or can be downloaded. */
        get: operations["base_state"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the batches. */
        get: operations["list_batches"];
        put?: never;
        /** Submits a file, which workers answer part by part while nothing trains. */
        post: operations["begin_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The progress of a batch. */
        get: operations["show_batch"];
        put?: never;
        post?: never;
        /** Removes a batch that has ended, with its inputs and answers. */
        delete: operations["remove_batch"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/batches/{id}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The answers of a batch: one JSON line for each input, in the order of the inputs. */
        get: operations["batch_results"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/batches/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Continues a batch that was stopped or has failed. */
        post: operations["resume_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/batches/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops a batch; the parts that are done keep their answers. */
        post: operations["stop_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The audit trail from a cursor. */
        get: operations["list_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers of the baseline, the bare base model and versions, side by side. */
        post: operations["compare"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The datasets of a task or of all, newest first. */
        get: operations["list_datasets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/datasets/{task}/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A dataset as it was stored, even if its examples have changed since. */
        get: operations["show_dataset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Server-sent events: `change`, with the change's `seq` as id, and `presence`, without one, with the body of
         *     `/presence`. A comment every ten seconds keeps the line open. */
        get: operations["stream_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One page of the matching examples. */
        get: operations["list_examples"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes the same decision on many examples; examples that cannot be decided are skipped with the reason.
         *     So are those that others decided on, unless `ids`, `state` or `by` asks for them. */
        post: operations["decide_bulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples/{task}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One example with the baseline's answer, the suggestion, spans in the text, and history. */
        get: operations["show_example"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples/{task}/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Approves an example's output, or the given one, as correct. */
        post: operations["approve_example"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples/{task}/{id}/edit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Changes an example's output and approves it. */
        post: operations["edit_example"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples/{task}/{id}/mask": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tokens of an example, and which of them are trained on. */
        get: operations["show_mask"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples/{task}/{id}/reject": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Rejects an example: it is never trained on. */
        post: operations["reject_example"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/examples/{task}/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Undoes a person's last decision. */
        post: operations["undo_example"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Uploads a source of examples; it is read in the background. */
        post: operations["begin_import"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/imports/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The progress of an import. */
        get: operations["show_import"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/infer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The answer of a version to an input. */
        post: operations["infer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/infer/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The answers of a version to many inputs; each has its own result. */
        post: operations["infer_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the machines. */
        get: operations["list_machines"];
        put?: never;
        /** Adds a machine, without connecting to it. */
        post: operations["add_machine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a machine without active runs; Graft's files on it are kept. */
        delete: operations["remove_machine"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines/{name}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Connects to a machine from the server and reports its facts. */
        post: operations["check_machine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/machines/{name}/quotes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Asks a provider which machines can be rented now. */
        get: operations["list_quotes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/mlflow/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads the newest runs of an experiment from the MLflow server that is configured, with params and metrics, to compare them with
         *     versions of a task. */
        get: operations["list_mlflow_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/presence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Reports which example a page has open, for 25 seconds; `/events` sends it to other pages as `presence`.
         *     A review link hears only of the examples of its task. */
        put: operations["sit"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prompts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Submitted texts, newest first, each with its run. */
        get: operations["list_prompts"];
        put?: never;
        /** Stores the examples of a text, names them as a dataset, and queues a run that learns from them and from all other
         *     approved examples of the task. `note` says why, where none is queued. */
        post: operations["submit_prompt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prompts/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Submits a table of texts: each becomes a dataset of its own, and one run is queued for each task and base model. Rows with
         *     a problem are reported and left out. */
        post: operations["submit_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prompts/draft": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's draft that is not submitted yet. */
        get: operations["show_draft"];
        /** Stores the caller's draft, so that it is available on every machine. */
        put: operations["save_draft"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prompts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A submitted text with its versions, and what each of them reached. */
        get: operations["show_submitted_prompt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prompts/{id}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What differs between two submitted texts: their examples, their settings, and what their runs reached. */
        get: operations["compare_prompts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/prompts/{id}/prompt_data.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The examples of a submitted text, as they were submitted: a table with the columns `text` and `label`. */
        get: operations["show_table"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The trainings and evaluations of a task or of all, newest first. */
        get: operations["list_runs"];
        put?: never;
        /** Queues a training. If its base model is missing, the run downloads it first. */
        post: operations["submit_run"];
        /** Deletes the runs that ended before a time. */
        delete: operations["delete_runs"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops or restarts all matching runs; if several would train the same task, only the newest is restarted. */
        post: operations["act_on_runs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Compares runs: differing settings and metrics. */
        get: operations["compare_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/preflight": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Checks a training without queueing it: all problems, and an estimate of time, memory and disk. */
        post: operations["check_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A run with all details. */
        get: operations["show_run"];
        put?: never;
        post?: never;
        /** Deletes a run and its directory; its versions are kept. */
        delete: operations["delete_run"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of a run's directory. */
        get: operations["list_artifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/artifacts/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One file of a run's directory. */
        get: operations["read_artifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops a run; its last checkpoint is kept. */
        post: operations["cancel_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A run's events. */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A part of a trainer's output, at most 256 KiB. */
        get: operations["read_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Queues a failed or stopped run again; it continues from its last checkpoint. */
        post: operations["resume_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Queues the same training again, from the start. */
        post: operations["retry_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/row": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A training example as it is used in an epoch, with its tokens. */
        get: operations["show_row"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runs/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Server-sent events of a run: `event` (its `seq` as id), `log` and, once it has ended, `end`. */
        get: operations["stream_run"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the schedules. */
        get: operations["list_schedules"];
        put?: never;
        /** Creates a schedule. */
        post: operations["add_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a schedule. */
        delete: operations["remove_schedule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The current user, and whether a login is required. */
        get: operations["show_session"];
        put?: never;
        /** Logs in: a cookie that scripts can't read, for this site only. */
        post: operations["log_in"];
        /** Logs out. */
        delete: operations["log_out"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The settings, with their `ETag`. */
        get: operations["show_settings"];
        /** Replaces the settings; with `If-Match`, refused if somebody else changed them. */
        put: operations["replace_settings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes some of the settings; with `If-Match`, refused if somebody else changed them. */
        patch: operations["change_settings"];
        trace?: never;
    };
    "/api/v1/settings/rent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The machine's price, with its `ETag`. */
        get: operations["show_rent"];
        /** Replaces the machine's price; with `If-Match`, refused if somebody else changed it. */
        put: operations["replace_rent"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Checks settings without storing them. */
        post: operations["validate_settings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Statistics of a task's approved examples. */
        get: operations["show_stats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A CSV table with one line per item (or per example, for tasks without items). */
        get: operations["export_stats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/studies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the studies. */
        get: operations["list_studies"];
        put?: never;
        /** Starts a study, which workers execute. A task has one at a time. */
        post: operations["begin_study"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/studies/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A study with its trials and results. */
        get: operations["show_study"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/studies/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops a study; its trials so far are kept. */
        post: operations["stop_study"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/studies/{id}/train": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Queues a training with the best settings of a study. */
        post: operations["train_best"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The machine, the queue, the loaded versions, and the base models. */
        get: operations["show_system"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tables, with their `ETag`. */
        get: operations["show_tables"];
        /** Replaces the tables; with `If-Match`, refused if somebody else changed them. */
        put: operations["replace_tables"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All tasks with the state of their examples, runs and versions; for a review link its own. */
        get: operations["list_tasks"];
        put?: never;
        /** Creates a task. */
        post: operations["create_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Creates a task from a definition file. */
        post: operations["import_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/mask": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The tokens of an input and its answer, and which of them are trained on; the task need not be stored. */
        post: operations["show_prompt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/new": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Creates a task with its first examples, which may be pasted text in any form. */
        post: operations["create_task_with_examples"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/understand": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Analyses a pasted text: its examples, the answer form, and the evidence for each inference. Stores nothing. */
        post: operations["understand_text"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A task's definition, with its `ETag`. */
        get: operations["show_task"];
        /** Replaces a task's definition; with `If-Match`, refused if somebody else changed it. Returns the effect on examples and
         *     versions. */
        put: operations["replace_task"];
        post?: never;
        /** Archives a task: it is no longer listed or trained. Its examples are kept, and its versions still answer. */
        delete: operations["archive_task"];
        options?: never;
        head?: never;
        /** Changes some fields of a task's definition: a JSON merge patch (RFC 7396). `If-Match` as for `PUT`. */
        patch: operations["patch_task"];
        trace?: never;
    };
    "/api/v1/tasks/{task}/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The agents of a task, how far they are with the active version, and what is going on. */
        get: operations["list_agents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/agents/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** An agent says that it is there, what it holds, and which bundles it reads; at least once a minute. A name belongs to the
         *     token that used it first. */
        put: operations["say_hello"];
        post?: never;
        /** Forgets an agent; one that still runs comes back. */
        delete: operations["remove_agent"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/agents/{name}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Server-sent events for an agent: `version`, whenever it is to take one. A comment every ten seconds keeps the line open.
         *     The agent reports what became of it within 30 seconds; otherwise it is told again, three times at most. */
        get: operations["stream_notices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/agents/{name}/reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An agent reports that it answers with the version that it was told of, or why it doesn't. Reports of earlier notices
         *     change nothing. */
        post: operations["take_report"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/baseline/try": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tries a baseline on a task's approved examples: its score, what became of each rule, and the examples that it gets
         *     wrong. Nothing is stored. */
        post: operations["try_baseline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/bundles/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The bundle of the active version: all that it needs to answer, as a zip file. Its `ETag` is its SHA-256. */
        get: operations["send_bundle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/clone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Creates a task with the definition of another one, without its examples and versions. */
        post: operations["clone_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/contestants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Registers a contestant, which answers without a language model, as a version with its scores. It takes seconds. The same
         *     contestant on the same examples is registered once. */
        post: operations["add_contestant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/drift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a version has drifted: compares people's decisions on its suggestions with its held-out scores. */
        get: operations["task_drift"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/duplicates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The approved examples of a task that are near-duplicates of each other. */
        get: operations["list_duplicates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A task's definition as a file. */
        get: operations["export_task"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/guidelines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A task's guidelines, with their `ETag`. */
        get: operations["show_guidelines"];
        /** Replaces a task's guidelines; with `If-Match`, refused if somebody else changed them. */
        put: operations["replace_guidelines"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/helpful": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The pending examples whose review would help most, with the reason for each, and the labels that need more examples.
         *     Prefers answers that the active version is not sure of, texts unlike those approved or listed before, and labels with few
         *     examples. */
        get: operations["list_helpful"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The live adapter of a task, its windows and snapshots. */
        get: operations["show_live"];
        put?: never;
        /** Starts to learn continuously from approvals and edits, or changes the settings; workers train the snapshots. */
        post: operations["start_live"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/live/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pauses continuous learning: collects approvals without training. */
        post: operations["pause_live"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/live/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Resumes continuous learning, also with the approvals that were collected meanwhile. */
        post: operations["resume_live"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/live/rewind": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts the next snapshot from an earlier version; later snapshots are archived. */
        post: operations["rewind_live"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rename": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Renames a task with its examples, datasets, runs, versions and schedules. Built-in tasks cannot be renamed. */
        post: operations["rename_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Restores an archived task. */
        post: operations["restore_task"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every revision of a task's definition. */
        get: operations["list_task_revisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Activates the previously active version again. */
        post: operations["roll_back"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The roll-out of a task with its conditions and counts, and earlier roll-outs. */
        get: operations["show_rollout"];
        put?: never;
        /** Starts a roll-out: the version answers beside the active one, and its answers are only recorded. */
        post: operations["start_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollout/canary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes the version a canary: it answers its share of the requests. */
        post: operations["rollout_to_canary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollout/override": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes the version active even if conditions of its policy are not met; the reason is stored in the audit trail. */
        post: operations["override_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollout/promote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes the version active, if all conditions of its policy are met. */
        post: operations["promote_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollout/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The comparison of both versions in a roll-out, while it runs or after its end. After its end, only inputs that people
         *     decided on are counted. */
        get: operations["rollout_report"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollout/report.html": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as one HTML file. */
        get: operations["rollout_page"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/rollout/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops the roll-out; the version no longer answers requests. */
        post: operations["stop_rollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/suspects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Suspect approved examples (contradictions, empty labels, disagreement with a confident model), with possible fixes.
         *     Changes nothing: to apply a fix, make the decisions that it lists. */
        get: operations["list_suspects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/template": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Saves a task with its newest approved examples as a template. */
        post: operations["save_task_as_template"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task}/upstream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The upstream of a task, and who answered its requests. */
        get: operations["show_upstream"];
        /** Sets the upstream of a task: from now on, requests for the task at `/v1/chat/completions` are passed on to it unless Graft
         *     answers them itself. */
        put: operations["set_upstream"];
        post?: never;
        /** Removes the upstream of a task; the counts are kept. */
        delete: operations["remove_upstream"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Task templates with a dozen examples each, and those that people saved. */
        get: operations["list_templates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Saves a template, in place of an older one with this name. Every `{{name}}` of title, instruction and guidelines becomes
         *     a variable. */
        put: operations["save_template"];
        post?: never;
        /** Deletes a template that somebody saved. */
        delete: operations["delete_template"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{name}/fill": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A template with its variables filled in: `{{name}}` in its texts is replaced. Stores nothing. */
        post: operations["fill_template"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/texts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reads a file as text that can be analysed: a spreadsheet (.xlsx) becomes CSV, and other encodings become UTF-8. Stores
         *     nothing. */
        post: operations["read_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the tokens, without their secrets. */
        get: operations["list_tokens"];
        put?: never;
        /** Creates a token; its secret is shown only once. The first token makes logins mandatory, so it must be an administrator's
         *     without an expiry date, unless an administrator can log in otherwise (409). */
        post: operations["make_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Creates a review link: whoever opens it reviews the examples of one task, and reaches nothing else. */
        post: operations["make_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revokes a token; the last administrator's is kept while others may log in (409). */
        delete: operations["remove_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/training/status/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of a job. */
        get: operations["show_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/training/submit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Imports the tables of a dataset as approved examples, doubtful rows as pending, and queues a job that trains on them.
         *     The same dataset with the same content returns the same job, unless that one failed. */
        post: operations["submit_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the users who may log in. */
        get: operations["list_users"];
        put?: never;
        /** Adds a user, or changes a user's role and password, which ends their sessions. There must always be an administrator
         *     (409); the first user makes logins mandatory. */
        post: operations["set_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a user and ends their sessions; the last administrator is kept while others may log in (409). */
        delete: operations["remove_user"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The versions of a task or of all, newest first. */
        get: operations["list_versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/versions/{task}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A version with its scores, lineage, and answers to held-out examples: the worst and some correct ones. */
        get: operations["show_version"];
        put?: never;
        post?: never;
        /** Removes a version from the registry; its files are kept. */
        delete: operations["delete_version"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/versions/{task}/{name}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Activates a version, unless it is worse than the active one. If the version cannot be loaded, nothing changes. */
        post: operations["activate_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/versions/{task}/{name}/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A version's bundle: its files and all else that it needs to answer, as a zip file for `graft models add`. Hugging Face's
         *     peft can load the unpacked folder of an adapter. */
        get: operations["download_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/versions/{task}/{name}/evaluate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Queues a new evaluation of a version on its held-out examples. */
        post: operations["evaluate_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/versions/{task}/{name}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The results of a version's last evaluation as a file: each held-out example with the expected answer, the version's
         *     answer, its score and its confidence (CSV, JSON lines), or a report as one HTML file. */
        get: operations["version_results"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/versions/{task}/{name}/stage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Moves a version to another stage. */
        post: operations["set_stage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process is running. */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics in Prometheus' text format. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This API's description (OpenAPI 3.1). */
        get: operations["description"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether requests can be answered: the database responds, and the server is not shutting down. */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Continues a conversation. With `stream`, chunks are sent as server-sent events, with `[DONE]` at the end. If the task has an
         *     upstream, `x-graft-answered-by` says who answered: a version, or `upstream`. */
        post: operations["chat_completions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Continues a text. With `stream`, chunks are sent as server-sent events, with `[DONE]` at the end. */
        post: operations["completions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tasks with an active version or an upstream, versions as `task:version`, and base models. */
        get: operations["list_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One model by its name. */
        get: operations["one_model"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Makes a version active. */
        Activate: {
            /** @description The active version as the client last saw it (null: none); absent: do not check. */
            expected?: string | null;
            /** @description Even if it is worse than the active one. */
            force?: boolean;
        };
        /** @description A contestant to register as a version. */
        AddContestant: {
            /** @description What kind. */
            kind: components["schemas"]["ContestantKind"];
            /** @description The version whose examples it is fitted to. Default: the active or the newest version. */
            like?: string | null;
        };
        /** @description A process that holds a version of a task and answers with it. */
        Agent: {
            /**
             * Format: int32
             * @description How often it was told of this version.
             */
            attempt: number;
            /** @description When it first came. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Whose token it showed first; no other speaks for it. */
            created_by: string;
            digest?: components["schemas"]["Digest"] | null;
            /**
             * Format: int32
             * @description The newest form of bundles that it reads.
             */
            format: number;
            /** @description The version of its program. */
            graft: string;
            held?: components["schemas"]["Digest"] | null;
            /** @description The version that it has proven to hold. */
            held_version?: string | null;
            /** @description Unique within the task. */
            name: string;
            /** @description What went wrong last. */
            problem?: string | null;
            /** @description When it last said something. */
            seen_at: components["schemas"]["Timestamp"];
            /** @description How far it is. */
            state: components["schemas"]["AgentState"];
            synced_at?: components["schemas"]["Timestamp"] | null;
            /** @description Name of the task. */
            task: string;
            /** @description The version that it was told of last. */
            version?: string | null;
            /**
             * Format: int32
             * @description New versions go to wave 1 first.
             */
            wave: number;
        };
        /** @description What an agent says of itself when it connects, and at least once a minute. */
        AgentHello: {
            /**
             * Format: int32
             * @description The newest form of bundles that it reads.
             */
            format: number;
            /** @description The version of its program. */
            graft: string;
            holds?: components["schemas"]["Digest"] | null;
            /**
             * Format: int32
             * @description Which wave it belongs to: new versions go to wave 1 first.
             * @default 1
             */
            wave?: number;
        };
        /** @description The version that an agent is to hold, as the event `version` tells it. */
        AgentNotice: {
            /**
             * Format: int32
             * @description Counts how often the agent was told of this version, from 1.
             */
            attempt: number;
            /** @description SHA-256 of its bundle. */
            digest: components["schemas"]["Digest"];
            /** @description Goes into the proof that the agent has the bundle. */
            nonce: string;
            /** @description Name of the version. */
            version: string;
        };
        /** @description What became of a notice: `proof`, or the problem. */
        AgentReport: {
            /** @description SHA-256 of the bundle that the agent was told of. */
            digest: components["schemas"]["Digest"];
            /** @description The notice's nonce. What is said of an earlier notice is of no account. */
            nonce: string;
            /** @description Why it doesn't. */
            problem?: string | null;
            proof?: components["schemas"]["Digest"] | null;
        };
        /**
         * @description How far an agent is with the active version.
         * @enum {string}
         */
        AgentState: "pending" | "syncing" | "synced" | "failed";
        /** @description An agent as it is shown. */
        AgentView: components["schemas"]["Agent"] & {
            /** @description Whether it said nothing for two minutes. */
            away: boolean;
            /** @description Whether its program has another version than this server's. */
            other_graft: boolean;
        };
        /** @description The agents of a task and how far they are. */
        AgentsReport: {
            /** @description The agents, by name. */
            agents: components["schemas"]["AgentView"][];
            /** @description What is going on, in a sentence. */
            next: string;
            wanted: components["schemas"]["WantedVersion"] | null;
            /** @description The waves in their order. */
            waves: components["schemas"]["Wave"][];
        };
        /** @description An answer with all details. */
        Answer: {
            /** @description The answer in the task's form, with computed fields. */
            answer: Json;
            /** @description Tokens of the answer. */
            answer_tokens: number;
            /**
             * Format: double
             * @description Probability that the whole answer is correct; calibrated if the version was evaluated.
             */
            confidence: number;
            /** @description The same for each field, by path. */
            fields: {
                [key: string]: number;
            };
            /** @description Digest of base, adapter, prompt, calibration and version. */
            generation: string;
            /** @description Tokens of the prompt. */
            prompt_tokens: number;
            /**
             * Format: double
             * @description Seconds from the request to the answer.
             */
            seconds: number;
            /** @description Position of each grounded field's value in the input, in characters, by path. */
            spans: {
                [key: string]: components["schemas"]["InputSpan"];
            };
            /** @description The task. */
            task: string;
            /** @description Whether the model ended the answer itself. */
            valid: boolean;
            /** @description The version that answered; absent for an adapter's folder and for a bare base model. */
            version: string | null;
        };
        /** @description An input with another answer. */
        AnswerChange: {
            /** @description The later answer, if it has one. */
            after?: Json;
            /** @description The earlier answer, if it has one. */
            before?: Json;
            /** @description The input. */
            input: string;
        };
        /** @description Whether the answers are distributed like those to the held-out examples. */
        AnswerDrift: {
            /** @description What became more or less frequent, what moved furthest first. */
            moved: components["schemas"]["MovedShare"][];
            /** @description Answers to held-out examples that they are compared with. */
            reference: number;
            /** @description What follows. */
            state: components["schemas"]["DriftState"];
            /** @description The test and its threshold. */
            test: string;
            /** @description The numbers as a sentence, or why there are none. */
            text: string;
            /** @description How many of the newest suggestions are compared. */
            window: number;
        };
        /** @description The form of a task's answer. */
        AnswerForm: {
            /** @enum {string} */
            form: "text";
        } | {
            /** @enum {string} */
            form: "label";
            /** @description The labels, in a fixed order. */
            labels: string[];
        } | {
            /** @enum {string} */
            form: "json";
            /** @description JSON Schema (2020-12) of the answer. */
            schema: JsonObject;
        };
        /**
         * @description What an answer of a task is.
         * @enum {string}
         */
        AnswerKind: "labels" | "fields" | "text" | "dialogue";
        /** @description An answer or an error. */
        AnswerOrProblem: components["schemas"]["Answer"] | {
            /** @description What went wrong with this input. */
            problem: components["schemas"]["Problem"];
        };
        /** @description The answers, in the order of the inputs. */
        Answers: {
            /** @description One for each input. */
            answers: components["schemas"]["AnswerOrProblem"][];
        };
        /** @description Approves an example. */
        Approve: {
            /** @description Who decided; refused if somebody else is logged in by now. */
            by?: string | null;
            /** @description The correct output, if it differs from the stored one. */
            output?: Json;
            /**
             * Format: int32
             * @description The revision that the person saw.
             */
            revision: number;
            /**
             * Format: int64
             * @description The newest change of the example that the person saw; without it only the revision and decisions by others are
             *     checked.
             */
            seen?: number | null;
        };
        /** @description One file. */
        Artifact: {
            /** @description SHA-256 of its bytes; absent for large files. */
            digest?: string | null;
            /** @description Within the run directory. */
            path: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
        };
        /** @description The files of a run's directory. */
        ArtifactList: {
            /** @description By path. */
            artifacts: components["schemas"]["Artifact"][];
        };
        /** @description Something that needs a person's attention. */
        Attention: {
            /** @description `pending`, `not-ready`, `failed-run`, `newer-version`, `no-version`. */
            kind: string;
            /** @description A path of the page. */
            link: string;
            /** @description One sentence. */
            text: string;
        };
        /** @description One bad row. */
        BadRow: {
            /** @description `row 17`, `line 3`, `2025-03-01.json`, … */
            at: string;
            /** @description What is wrong with it. */
            reason: string;
        };
        /** @description A base model on this machine. */
        Base: {
            /** @description When it was added. */
            added_at: components["schemas"]["Timestamp"];
            /** @description Digest of the model files. */
            digest: components["schemas"]["Digest"];
            /** @description Built-in name, Hub id or path, as users write it. */
            name: string;
            /** @description Folder or GGUF file. */
            path: string;
        };
        /** @description What there is to know about a base model. */
        BaseDetail: {
            /** @description Its architecture. */
            architecture: string;
            /**
             * Format: int64
             * @description Size of the files in bytes.
             */
            bytes: number;
            /** @description Whether it has a chat template. */
            chat_template: boolean;
            /** @description Sizes and constants. */
            config: JsonObject;
            /** @description Digest of weights, tokenizer and chat template. */
            digest: string;
            /** @description As users type it. */
            name: string;
            /** @description Folder or GGUF file. */
            path: string;
            /** @description Names that LoRA's targets may use. */
            targets: string[];
        };
        /** @description Base models. */
        BaseList: {
            /** @description Those that were pulled or added, that Graft knows, or that are being downloaded, by name. */
            bases: components["schemas"]["ListedBase"][];
        };
        /** @description Whether a base model is on this machine. */
        BaseState: {
            /** @description As users type it. */
            name: string;
            /** @description Whether its files are on this machine; those of others can be downloaded. */
            present: boolean;
            pull?: components["schemas"]["PullView"] | null;
            /** @description Where the terms are that people must accept before they download it. */
            terms?: string | null;
        };
        /** @description The method that answers a task without a model. */
        BaselineDefinition: {
            /** @enum {string} */
            kind: "built-in";
            /** @description Its name: `food-rescue`. */
            name: string;
        } | (components["schemas"]["RuleSet"] & {
            /** @enum {string} */
            kind: "rules";
        }) | {
            /** @description The program, by its absolute path or found in `PATH`, and its arguments. No shell reads them. */
            command: string[];
            /** @enum {string} */
            kind: "command";
            /**
             * Format: int32
             * @description How long an answer may take.
             */
            timeout_seconds?: number;
        } | {
            /** @enum {string} */
            kind: "endpoint";
            /**
             * Format: int32
             * @description How long an answer may take.
             */
            timeout_seconds?: number;
            /** @description Its address, without a user and a password. */
            url: string;
        };
        /** @description A regular expression, and what it gives where it matches. */
        BaselineRule: {
            /** @description Form `labels`: the label. */
            label?: string | null;
            /** @description Form `fields`: the list to which every match adds an item; the groups are the item's properties, or `value` if the
             *     items are plain values. */
            list?: string | null;
            /** @description In the syntax of the `regex` crate, without look-around and back-references. Form `fields`: a named group
             *     `(?<total>…)` is the field of that name; other characters than letters, digits, `_` and `.` are `_` in the group's
             *     name. */
            pattern: string;
            /** @description Form `fields`: values that a match gives beside its groups, by field. */
            set?: JsonObject;
        };
        /** @description The strongest contestant, as readers of earlier versions know it. */
        BaselineScores: {
            /** @description As [`ContestantScores::name`]. */
            name: string;
            /** @description Its scores. */
            scores: components["schemas"]["Scores"];
        };
        /** @description How a baseline did on approved examples. */
        BaselineTrial: {
            /** @description How many it answered in the task's form. */
            answered: number;
            /** @description Approved examples that it was asked, the newest ones. */
            examples: number;
            /** @description Why a program or a service failed, if it did; after three failures in a row it is asked nothing more. */
            failure?: string | null;
            /** @description Name of the metric that decides between versions. */
            headline: string;
            /** @description The numbers, as those of versions. */
            metrics: components["schemas"]["Metric"][];
            /** @description How many it answered right in all. */
            right: number;
            /** @description For a list of rules, what became of each. */
            rules: components["schemas"]["RuleUse"][];
            /**
             * Format: double
             * @description Seconds that one answer took.
             */
            seconds_per_answer: number;
            /** @description The first examples that it does not answer right. */
            wrong: components["schemas"]["WrongAnswer"][];
        };
        /** @description A file of inputs that a version answers. */
        Batch: {
            /**
             * Format: int64
             * @description Inputs answered so far.
             */
            answered: number;
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who submitted it. */
            created_by: string;
            /** @description Why it failed. */
            failure?: string | null;
            finished_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its name. */
            id: string;
            /**
             * Format: int64
             * @description Of these, without a valid answer.
             */
            invalid: number;
            /**
             * Format: int64
             * @description Number of inputs.
             */
            lines: number;
            /**
             * Format: int64
             * @description Maximum tokens of one answer.
             */
            max_tokens?: number | null;
            /**
             * Format: int64
             * @description Number of parts.
             */
            parts: number;
            /**
             * Format: int64
             * @description Parts that are done.
             */
            parts_done: number;
            /**
             * Format: int64
             * @description Parts that are being answered now.
             */
            parts_running: number;
            /** @description Name of the file. */
            source: string;
            /** @description Its state. */
            state: components["schemas"]["BatchState"];
            /** @description Name of the task. */
            task: string;
            /** @description The version that answers, also if another one becomes active. */
            version: string;
        };
        /** @description The batches. */
        BatchList: {
            /** @description Newest first, 500 at most. */
            batches: components["schemas"]["Batch"][];
        };
        /** @description A text of a table. */
        BatchPrompt: {
            /** @description Base model of its run. */
            base: string;
            /** @description The dataset that it became; absent if nothing was stored. */
            dataset?: string | null;
            /**
             * Format: int64
             * @description Number of examples.
             */
            examples: number;
            /** @description If the table is only checked: suggestions that would improve the text's examples. Lines count within the text. */
            hints: components["schemas"]["Hint"][];
            /** @description The line that its row begins in, from 1. */
            line: number;
            /** @description The requested model type. */
            model_type: string;
            /**
             * Format: int64
             * @description Number of examples that people must review.
             */
            pending: number;
            /** @description Priority of its run. */
            priority: components["schemas"]["PriorityName"];
            /** @description The task that it means. */
            task: string;
        };
        /** @description The run of some texts. */
        BatchRun: {
            /** @description Base model. */
            base: string;
            /** @description Why no run was queued. */
            note?: string | null;
            /** @description Number of texts that it is for. */
            prompts: number;
            /** @description The run that was queued. */
            run?: string | null;
            /** @description The task. */
            task: string;
        };
        /**
         * @description State of a batch.
         * @enum {string}
         */
        BatchState: "running" | "done" | "failed" | "stopped";
        /** @description What is uploaded, as `multipart/form-data`. */
        BatchUpload: {
            /** @description JSON: `{"text": …, "id": …}`, the headings or numbers of a table's columns, and `"heading"`: whether the first row
             *     names them, where that can't be found out. */
            columns?: string | null;
            /**
             * Format: binary
             * @description The inputs: JSON lines with a text and a ts or id, a table, a Slack export, or one text per line.
             */
            file: Blob;
            /**
             * Format: int64
             * @description Maximum tokens of one answer.
             */
            max_tokens?: number | null;
            /**
             * Format: int64
             * @description Inputs per part, from 1 to 10,000. Default: 1,000.
             */
            part_lines?: number | null;
            /** @description The task; it may be absent if only one has versions. */
            task?: string | null;
            /** @description The version that answers; the active one if absent. */
            version?: string | null;
        };
        /** @description The same decision on many examples. */
        Bulk: {
            /** @description What to do. */
            action: components["schemas"]["BulkAction"];
            filter?: components["schemas"]["BulkFilter"] | null;
            /** @description These examples; or else those of the filter. */
            ids?: string[] | null;
            /** @description Why, for `reject`. */
            reason?: string | null;
            /** @description The task. */
            task: string;
        };
        /**
         * @description A decision on many examples.
         * @enum {string}
         */
        BulkAction: "approve" | "reject" | "reopen";
        /** @description Which examples a bulk decision is about. */
        BulkFilter: {
            /**
             * @description Only decided on by this person.
             * @default null
             */
            by?: string | null;
            /**
             * @description Only with a suggestion for this field, at any depth; confidence filters then apply to this field.
             * @default null
             */
            field?: string | null;
            /**
             * Format: double
             * @description Only with a suggestion of less than this confidence.
             * @default null
             */
            max_confidence?: number | null;
            /**
             * Format: double
             * @description Only with a suggestion of at least this confidence.
             * @default null
             */
            min_confidence?: number | null;
            /**
             * @description Only with this text.
             * @default null
             */
            search?: string | null;
            /**
             * @description Only from this kind of source.
             * @default null
             */
            source?: string | null;
            /** @default null */
            state?: components["schemas"]["ReviewFilterName"] | null;
        };
        /** @description Result of a bulk review. */
        BulkResult: {
            /**
             * Format: int64
             * @description Examples that changed.
             */
            changed: number;
            /** @description Examples that were not changed. */
            skipped: components["schemas"]["BulkSkipped"][];
        };
        /**
         * @description What is done to many runs at once.
         * @enum {string}
         */
        BulkRunAction: "cancel" | "retry";
        /** @description A run that was not changed. */
        BulkRunSkipped: {
            /** @description The run. */
            id: string;
            /** @description Why. */
            why: string;
        };
        /** @description The same for all runs that match. */
        BulkRuns: {
            /** @description What to do. */
            action: components["schemas"]["BulkRunAction"];
            /** @description Only reports the changes; changes nothing. */
            dry_run?: boolean;
            kind?: components["schemas"]["RunKind"] | null;
            state?: components["schemas"]["RunState"] | null;
            /** @description Only of this task. */
            task?: string | null;
        };
        /** @description The result of a bulk action on runs. */
        BulkRunsResult: {
            /** @description Those that were, or would be, stopped or queued again. */
            changed: string[];
            /** @description Runs that were not changed although the action fits their state. */
            skipped: components["schemas"]["BulkRunSkipped"][];
        };
        /** @description An example that a bulk decision did not change. */
        BulkSkipped: {
            /** @description The example. */
            id: string;
            /** @description Why. */
            why: string;
        };
        /** @description A map from raw to calibrated confidence, with the reliability it was fitted on. */
        Calibration: {
            /** @description The same after calibration, cross-validated: each answer is mapped by a fit on other answers. */
            after: components["schemas"]["Reliability"];
            /** @description Reliability of the raw confidences of the held-out answers. */
            before: components["schemas"]["Reliability"];
            /** @description The map. */
            method: components["schemas"]["CalibrationMethod"];
        };
        /** @description The kinds of map; all are monotonic. */
        CalibrationMethod: {
            /** @enum {string} */
            method: "identity";
        } | {
            /**
             * Format: double
             * @description Above 0 for an underconfident model.
             */
            bias: number;
            /** @enum {string} */
            method: "platt";
            /**
             * Format: double
             * @description At least 0; below 1 for an overconfident model.
             */
            scale: number;
        } | {
            /** @description Pairs of raw and calibrated confidence. */
            knots: number[][];
            /** @enum {string} */
            method: "isotonic";
        };
        /** @description Which download. */
        CancelOf: {
            /** @description The base model's name. */
            name: string;
        };
        /** @description One entry of the audit trail, which is append-only. */
        Change: {
            /** @description What was done. */
            action: components["schemas"]["ChangeAction"];
            /** @description The new values of the same fields. */
            after?: JsonObject | null;
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description The previous values of the fields that changed. */
            before?: JsonObject | null;
            /** @description Who. */
            by: string;
            /** @description To what kind of thing. */
            kind: components["schemas"]["ChangeKind"];
            /**
             * Format: int64
             * @description Position among all changes, from 1 and without gaps.
             */
            seq: number;
            /** @description Its id or name. */
            subject: string;
            /** @description Its task; empty for settings and base models. */
            task: string;
        };
        /**
         * @description The operation that made a change.
         * @enum {string}
         */
        ChangeAction: "import" | "approve" | "reject" | "edit" | "reopen" | "undo" | "add" | "state" | "activate" | "rollback" | "set" | "delete";
        /**
         * @description The kind of thing that a change is about.
         * @enum {string}
         */
        ChangeKind: "example" | "dataset" | "run" | "version" | "setting" | "base" | "schedule" | "study" | "user" | "token" | "import" | "machine" | "task" | "template" | "agent" | "batch";
        /** @description A part of the audit trail. */
        ChangeList: {
            /** @description In the order asked for. */
            changes: components["schemas"]["Change"][];
            /**
             * Format: int64
             * @description The cursor for the next call: its `after`, or where the newest come first, its `before`.
             */
            next: number;
        };
        /**
         * @description Which changes come first.
         * @enum {string}
         */
        ChangeOrder: "oldest" | "newest";
        /** @description A conversation to continue. Unsupported parameters are refused by name. */
        ChatRequest: components["schemas"]["Common"] & {
            /** @description Whether the reply has each token's probability. */
            logprobs?: boolean | null;
            /** @description Newer name of `max_tokens`. */
            max_completion_tokens?: number | null;
            /** @description The conversation; tasks take one message of the user. */
            messages: components["schemas"]["Message"][];
            /** @description `task`, `task:version`, or a base model. */
            model: string;
            response_format?: components["schemas"]["ResponseFormat"] | null;
            /** @description Number of most likely tokens to return for each position, at most 20. */
            top_logprobs?: number | null;
        };
        /** @description Number of deleted runs. */
        Cleared: {
            /**
             * Format: int64
             * @description How many.
             */
            deleted: number;
        };
        /** @description Another task like one. */
        CloneTask: {
            /** @description The new task's name. */
            name: string;
            /** @description Its title; made of the name otherwise. */
            title?: string | null;
        };
        /** @description What both take. */
        Common: {
            /**
             * Format: float
             * @description Subtracted from a token's logit each time that it occurs in the answer, from -2 to 2.
             */
            frequency_penalty?: number | null;
            /** @description Added to the logits of tokens, by their id in the tokenizer of the base model: numbers from -100 to 100. */
            logit_bias?: {
                [key: string]: number;
            } | null;
            /** @description Maximum tokens of the answer. */
            max_tokens?: number | null;
            /** @description Answers; only 1. */
            n?: number | null;
            /**
             * Format: float
             * @description Subtracted once from the logits of tokens that occur in the answer, from -2 to 2.
             */
            presence_penalty?: number | null;
            /**
             * Format: int64
             * @description Same seed, same answer.
             */
            seed?: number | null;
            /** @description Texts before which the answer ends. */
            stop?: string[] | null;
            /** @description Tell the answer as it is written. */
            stream?: boolean | null;
            stream_options?: components["schemas"]["StreamOptions"] | null;
            /**
             * Format: float
             * @description 0 selects the most likely token each time.
             */
            temperature?: number | null;
            /**
             * Format: float
             * @description Sample from the most likely tokens with this total probability.
             */
            top_p?: number | null;
        };
        /** @description The contestants to compare. */
        Compare: {
            /** @description `baseline`, `base` and names of versions, 8 at most. */
            contestants: string[];
            /** @description The input. */
            input: string;
            /** @description The task. */
            task: string;
        };
        /** @description Answers side by side. */
        Compared: {
            /** @description In the order that was asked for. */
            answers: components["schemas"]["ContestantAnswer"][];
            /** @description Paths of the fields that are not the same in all answers, like `items[0].name`. */
            differing: string[];
        };
        /** @description A setting in which runs differ. */
        ComparedField: {
            /** @description Dotted path in the spec. */
            field: string;
            /** @description One a run. */
            values: unknown[];
        };
        /** @description A number of each run. */
        ComparedMetric: {
            difference?: components["schemas"]["Interval"] | null;
            /** @description Its name. */
            name: string;
            /** @description One a run; null where a run has none. */
            values: (components["schemas"]["Interval"] | null)[];
            verdict?: components["schemas"]["Verdict"] | null;
        };
        /** @description A version, as it is compared with runs elsewhere. */
        ComparedVersion: {
            /** @description Its scores and losses. */
            metrics: {
                [key: string]: number;
            };
            /** @description Settings of that run, by dotted name. */
            params: {
                [key: string]: string;
            };
            /** @description The run that made it. */
            run?: string | null;
            /** @description Its name. */
            version: string;
        };
        /** @description Two versions on the same held-out examples. */
        Comparison: {
            /**
             * Format: double
             * @description `new - old`.
             */
            difference: number;
            /**
             * Format: double
             * @description 97.5th percentile of the difference.
             */
            high: number;
            /**
             * Format: double
             * @description 2.5th percentile of the difference.
             */
            low: number;
            /** @description The metric compared. */
            metric: string;
            /**
             * Format: double
             * @description The new version's.
             */
            new: number;
            /**
             * Format: double
             * @description The old version's.
             */
            old: number;
            /** @description What follows. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description A text to continue. */
        CompletionRequest: components["schemas"]["Common"] & {
            /** @description Write so many answers, 8 at most, and return the one with the largest mean log-probability of its tokens. Not together
             *     with `stream`. */
            best_of?: number | null;
            /** @description Whether the reply starts with the prompt. Not together with `logprobs`. */
            echo?: boolean | null;
            /** @description Each token's probability and those of so many likelier ones. */
            logprobs?: number | null;
            /** @description `task`, `task:version`, or a base model. */
            model: string;
            /** @description The text; a task's input. */
            prompt: string;
        };
        /** @description A weight that is looked up in the home's tables for each item of a list and added to the answer, with the sum. */
        ComputedField: {
            /** @description The item's property that holds its class. */
            class: string;
            /** @description Name of the new field, of each item and of the answer. */
            field: string;
            /** @description The list. */
            list: string;
            /** @description The item's property that names it. */
            name: string;
            /** @description The item's property that holds the number of units. */
            quantity: string;
            /** @description The item's property that holds the unit. */
            unit: string;
        };
        /** @description Which label was taken for which. */
        Confusion: {
            /** @description `counts[true][given]`; each row has one more column, for no valid answer. */
            counts: number[][];
            /** @description Names of rows and columns. */
            labels: string[];
        };
        /** @description Words, whole or in parts. */
        Content: string | components["schemas"]["Part"][];
        /** @description One contestant's answer. */
        ContestantAnswer: {
            /** @description Its answer, with computed fields. */
            answer: Json;
            /**
             * Format: double
             * @description Its confidence; the baseline has none, and a contestant that is not a version is not calibrated.
             */
            confidence: number | null;
            /** @description The same for each field. */
            fields: {
                [key: string]: number;
            } | null;
            /** @description Digest of everything that determined it; only versions and the base model have one. */
            generation: string | null;
            /** @description `baseline`, `base`, a version's name, or a contestant's kind (`rules`, `n-grams`, `nearest`, `most-frequent`). */
            name: string;
            /**
             * Format: double
             * @description Seconds it took, with the others beside it.
             */
            seconds: number;
        };
        /** @description A contestant on the same examples. */
        ContestantBrief: {
            kind?: components["schemas"]["ContestantKind"] | null;
            metric?: components["schemas"]["Metric"] | null;
            /** @description What people read. */
            name: string;
        };
        /**
         * @description The kinds of contestants. On equal scores the earlier kind wins.
         * @enum {string}
         */
        ContestantKind: "rules" | "n-grams" | "nearest" | "most-frequent";
        /** @description A contestant on the held-out examples. */
        ContestantScores: {
            cross_validated?: components["schemas"]["Scores"] | null;
            /** @description Why a program or a service failed to answer, if it did: what it didn't answer counts as wrong. */
            failure?: string | null;
            /** @description Its kind. */
            kind: components["schemas"]["ContestantKind"];
            /** @description What people read: `regex`, `n-grams`, `nearest example`, `always <label>`. */
            name: string;
            /** @description Its scores. */
            scores: components["schemas"]["Scores"];
            /**
             * Format: double
             * @description Seconds that one answer took.
             */
            seconds_per_answer: number;
            /**
             * Format: double
             * @description Seconds to fit it.
             */
            seconds_to_fit: number;
        };
        /** @description Number of examples of a task in each review state. */
        Counts: {
            /**
             * Format: int64
             * @description Approved: used for training.
             */
            approved: number;
            /**
             * Format: int64
             * @description Not reviewed yet.
             */
            pending: number;
            /**
             * Format: int64
             * @description Rejected: excluded from training.
             */
            rejected: number;
        };
        /** @description A table with a column of texts and one of answers. */
        CsvFile: {
            /** @description All of it. */
            content: string;
            /** @description Its name, for messages. */
            filename: string;
        };
        /** @description A dataset with its examples. */
        DatasetDetail: {
            /** @description Its digest. */
            digest: components["schemas"]["Digest"];
            /** @description Held out. */
            eval: components["schemas"]["Example"][];
            /** @description Approved, but not used because a near-duplicate is held out. */
            leaking: string[];
            /** @description Its task. */
            task: string;
            /** @description Learned from. */
            train: components["schemas"]["Example"][];
        };
        /** @description An entry of the list of datasets. */
        DatasetHead: {
            /** @description When it was first saved. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who created it. */
            created_by: string;
            /** @description Digest of its content. */
            digest: components["schemas"]["Digest"];
            /**
             * Format: int64
             * @description Number of held-out examples.
             */
            eval: number;
            /** @description Name of the task. */
            task: string;
            /**
             * Format: int64
             * @description Number of training examples.
             */
            train: number;
        };
        /** @description The datasets there are. */
        DatasetList: {
            /** @description Newest first. */
            datasets: components["schemas"]["DatasetHead"][];
            /**
             * Format: int64
             * @description How many, on all pages.
             */
            total: number;
        };
        /** @description One day. */
        DayStats: {
            /**
             * Format: int64
             * @description Approved examples of that day.
             */
            audited: number;
            /** @description `2026-11-21`, UTC, by the source's time. */
            day: string;
            /**
             * Format: double
             * @description Pounds of that day.
             */
            pounds: number;
        };
        /** @description One example after a decision. */
        Decided: {
            /** @description As it is now. */
            example: components["schemas"]["Example"];
        };
        /** @description Number of deleted runs. */
        DeletedRuns: {
            /**
             * Format: int64
             * @description How many.
             */
            deleted: number;
        };
        /** @description Two answers to one message, field by field. */
        Diff: {
            /** @description List items in both answers. */
            both: unknown[];
            /** @description Single values, in the schema's order; one unnamed field for texts and labels. */
            fields: components["schemas"]["FieldDiff"][];
            /**
             * Format: int64
             * @description Right count of list items minus left count.
             */
            item_count_difference: number;
            /** @description List items only in the left answer. */
            only_left: unknown[];
            /** @description List items only in the right answer. */
            only_right: unknown[];
            /**
             * Format: double
             * @description The share of fields and items that agree, from 0 to 1.
             */
            score: number;
        };
        /** @description Number of examples by what became of them. */
        DiffCounts: {
            /** @description Only in the later text. */
            added: number;
            /** @description With another answer. */
            changed: number;
            /** @description Only in the earlier text. */
            removed: number;
            /** @description In both texts. */
            same: number;
        };
        /** @description A SHA-256 digest, written as 64 lowercase hexadecimal characters. */
        Digest: string;
        /** @description How far two samples are apart, and how often two samples of one distribution would be. */
        Distance: {
            /**
             * Format: double
             * @description The largest difference of two shares, from 0 to 1: of the numbers at or below any value, or of the inputs or answers in
             *     any group.
             */
            distance: number;
            /**
             * Format: double
             * @description Probability of such a distance where nothing has changed, at most.
             */
            p: number;
        };
        /** @description The values that a parameter can have. */
        Domain: {
            /**
             * Format: double
             * @description The maximum.
             */
            high: number;
            /** @enum {string} */
            kind: "real";
            /** @description Whether the scale is logarithmic. */
            log: boolean;
            /**
             * Format: double
             * @description The minimum.
             */
            low: number;
        } | {
            /** @enum {string} */
            kind: "choice";
            /** @description The values as text. */
            of: string[];
        };
        /** @description The current performance of a version, compared with its held-out scores. */
        Drift: {
            /** @description Whether its answers are distributed like those to the held-out examples. */
            answers: components["schemas"]["AnswerDrift"];
            /** @description Whether its confidences have changed. */
            confidence: components["schemas"]["Shift"];
            /** @description Whether inputs have the length of the training examples. */
            inputs: components["schemas"]["Shift"];
            measured_at?: components["schemas"]["Timestamp"] | null;
            /** @description Whether people change its suggestions more often than its held-out error rate. */
            overrides: components["schemas"]["Overrides"];
            /** @description The newest suggestions of the task, of all versions, in groups of equal size, oldest first. */
            periods: components["schemas"]["DriftPeriod"][];
            /** @description Whether requests have the words and lengths of the training examples. */
            served: components["schemas"]["ServedDrift"];
            /** @description `drifting` where any signal is; `stable` only where all are. */
            state: components["schemas"]["DriftState"];
            /** @description The task. */
            task: string;
            /** @description The version; absent where none is active. */
            version?: string | null;
        };
        /** @description Consecutive suggestions of a task. */
        DriftPeriod: {
            /**
             * Format: double
             * @description Largest difference of shares between these answers and those to the held-out examples; absent where these were not
             *     stored.
             */
            answers?: number | null;
            /** @description How many of those they changed. */
            changed: number;
            /**
             * Format: double
             * @description Mean length of the inputs in characters.
             */
            chars: number;
            /**
             * Format: double
             * @description Mean confidence, from 0 to 1.
             */
            confidence: number;
            /** @description How many of them people decided on since. */
            decided: number;
            /** @description When the first was made. */
            from: components["schemas"]["Timestamp"];
            /** @description How many they are. */
            suggestions: number;
            /** @description When the last was made. */
            until: components["schemas"]["Timestamp"];
        };
        /**
         * @description Whether something has changed.
         * @enum {string}
         */
        DriftState: "stable" | "drifting" | "unknown";
        /** @description An example that has a near-duplicate. */
        DuplicateExample: {
            /** @description Its id. */
            id: string;
            /** @description Its text. */
            input: string;
        };
        /** @description Approved examples that say nearly the same. */
        Duplicates: {
            /** @description Number of redundant examples: all but one of each group. */
            extra: number;
            /** @description Those of a group are near-duplicates of each other, and stay on one side of every split. */
            groups: components["schemas"]["DuplicateExample"][][];
        };
        /** @description Changes an example's output. */
        Edit: {
            /** @description As for approve. */
            by?: string | null;
            /** @description The right output. */
            output: Json;
            /**
             * Format: int32
             * @description The revision that the person saw.
             */
            revision: number;
            /**
             * Format: int64
             * @description As for approve.
             */
            seen?: number | null;
        };
        /** @description The epochs of each effort. */
        EffortEpochs: {
            /**
             * Format: double
             * @description Of a first look.
             */
            quick: number;
            /**
             * Format: double
             * @description Of the recipe.
             */
            recommended: number;
            /**
             * Format: double
             * @description Of a long training.
             */
            thorough: number;
        };
        /**
         * @description Number of epochs of a training relative to the recipe.
         * @enum {string}
         */
        EffortName: "quick" | "recommended" | "thorough";
        /** @description What a run is expected to take. */
        Estimate: {
            /**
             * Format: int64
             * @description Disk for the adapter and its checkpoints.
             */
            disk_bytes: number;
            /** @description Examples held out. */
            eval: number;
            /**
             * Format: int64
             * @description Peak memory.
             */
            memory_bytes: number;
            quality?: components["schemas"]["Quality"] | null;
            /**
             * Format: double
             * @description Seconds of training.
             */
            seconds: number;
            /** @description Where the speed comes from: an earlier run on this machine, or a short measurement. */
            seconds_basis: string;
            /**
             * Format: int64
             * @description Optimiser steps.
             */
            steps: number;
            /**
             * Format: int64
             * @description Prompt and answer tokens of all passes over the examples.
             */
            tokens: number;
            /** @description Examples left out because they are longer than the run's limits. */
            too_long: number;
            /** @description Examples learned from. */
            train: number;
        };
        /** @description The numbers kept with a version: the version, its bare base and the contestants on the same held-out examples. */
        Evaluation: {
            /** @description The version itself: its adapter, or the contestant that it is. */
            adapter: components["schemas"]["Scores"];
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            base?: components["schemas"]["Scores"] | null;
            baseline?: components["schemas"]["BaselineScores"] | null;
            /** @description The calibration of confidences, with the reliability before and after. */
            calibration: components["schemas"]["Calibration"];
            /** @description The adapter's calibrated confidence of each held-out answer; 0 without a valid answer. Absent in evaluations of
             *     earlier versions. */
            confidences?: number[] | null;
            /** @description The contestants, fitted to the same examples. Empty in evaluations of earlier versions. */
            contestants: components["schemas"]["ContestantScores"][];
            /** @description The dataset whose held-out side was answered. */
            dataset: components["schemas"]["Digest"];
            /** @description The same for each field, by its path without list positions. */
            fields: {
                [key: string]: components["schemas"]["Calibration"];
            };
            /** @description Held-out answers that people approved unchanged from the task's parser. They make the score of the contestant
             *     `rules` too high. */
            from_parser: number;
            /** @description Answers that were all right, from all over the held-out examples. */
            right: components["schemas"]["KeptAnswer"][];
            /**
             * Format: double
             * @description Seconds that one answer of the adapter took.
             */
            seconds_per_answer: number;
            /** @description The adapter's worst answers, worst first. */
            worst: components["schemas"]["KeptAnswer"][];
        };
        /** @description An evaluation that was queued. */
        EvaluationBegun: {
            /** @description Whether this request began it; otherwise it was under way. */
            begun: boolean;
            /** @description The run that measures it. */
            run: string;
            /** @description Its task. */
            task: string;
            /** @description The version; its `metrics.evaluation` changes when it is done, which `/events` tells. */
            version: string;
        };
        /** @description One line of a run's `events.jsonl`, the only channel from the trainer to everything that displays its progress. */
        Event: components["schemas"]["EventKind"] & {
            /** @description When it was written. */
            at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description Number of the event within the run, from 1 without gaps.
             */
            seq: number;
        };
        /** @description The kinds of events. */
        EventKind: {
            /** @enum {string} */
            event: "phase";
            /** @description Which phase. */
            phase: components["schemas"]["Phase"];
        } | {
            /** @description Number of held-out examples. */
            eval: number;
            /** @enum {string} */
            event: "prepared";
            /** @description Held-out examples whose loss is measured during the training. */
            measured?: number;
            /** @description Their tokens with loss. */
            measured_tokens?: number;
            /**
             * Format: int64
             * @description Predicted peak memory in bytes.
             */
            memory: number;
            /**
             * Format: int64
             * @description Optimizer steps of the whole run.
             */
            steps: number;
            /** @description Of these, tokens with loss. */
            supervised: number;
            /** @description Tokens computed per epoch. */
            tokens: number;
            /** @description Examples left out because their prompt and answer exceed the maximum length. */
            too_long: number;
            /** @description Number of training examples used. */
            train: number;
        } | {
            /**
             * Format: double
             * @description Estimated seconds left.
             */
            eta_s?: number | null;
            /** @enum {string} */
            event: "step";
            /**
             * Format: double
             * @description Gradient norm before clipping.
             */
            grad_norm?: number | null;
            /**
             * Format: double
             * @description Mean loss per supervised token of this step, before the update.
             */
            loss?: number | null;
            /**
             * Format: double
             * @description Learning rate used.
             */
            lr: number;
            /**
             * Format: int64
             * @description Resident memory of the trainer after this step, in bytes; absent if unknown.
             */
            memory?: number | null;
            /**
             * Format: int64
             * @description Total number of steps.
             */
            of: number;
            /**
             * Format: int64
             * @description Number of the step, from 1.
             */
            step: number;
            /**
             * Format: double
             * @description Prompt and answer tokens per second; shared prefixes count once per example.
             */
            tokens_per_s?: number | null;
        } | {
            /** @description Whether it is the lowest so far. */
            best: boolean;
            /** @enum {string} */
            event: "eval";
            /**
             * Format: double
             * @description Mean loss per supervised token on the held-out examples.
             */
            loss?: number | null;
            scores?: components["schemas"]["InterimScores"] | null;
            /**
             * Format: double
             * @description How long measuring the loss took; absent in events of earlier versions.
             */
            seconds?: number | null;
            /**
             * Format: int64
             * @description Number of steps so far.
             */
            step: number;
        } | {
            /** @description Number of answers so far, of adapter and base model together. */
            done: number;
            /** @enum {string} */
            event: "answered";
            /** @description Total number of answers. */
            of: number;
        } | {
            /** @enum {string} */
            event: "checkpoint";
            /**
             * Format: int64
             * @description Number of steps so far.
             */
            step: number;
        } | {
            /** @enum {string} */
            event: "resumed";
            /**
             * Format: int64
             * @description The step it continued from.
             */
            step: number;
        } | {
            /** @enum {string} */
            event: "note";
            /** @description A whole sentence. */
            text: string;
        } | {
            /** @enum {string} */
            event: "done";
            /**
             * Format: double
             * @description Loss of the last step.
             */
            final_loss?: number | null;
            /**
             * Format: int64
             * @description Number of steps taken.
             */
            steps: number;
        } | (components["schemas"]["TrainerFailure"] & {
            /** @enum {string} */
            event: "failed";
        });
        /** @description A run's events. */
        EventList: {
            /** @description In order. */
            events: components["schemas"]["Event"][];
        };
        /** @description An input with its output, its source and its review. */
        Example: {
            /** @description Unique within the task. */
            id: string;
            /** @description The text for the model. */
            input: string;
            /** @description The correct answer: a string for text and label tasks, an object for extraction; `None` until there is one. */
            output?: Json;
            /** @description The decision of people. */
            review: components["schemas"]["Review"];
            /**
             * Format: int32
             * @description Number of the revision, from 1.
             */
            revision: number;
            /** @description Where it came from. */
            source: components["schemas"]["Source"];
            /** @description Name of the task it belongs to. */
            task: string;
        };
        /** @description One example with all that helps to judge it. */
        ExampleDetail: {
            /** @description What the task's baseline answers, if Audit proposes it; a program or a service is asked only where there is no output. */
            baseline?: Json;
            /** @description Why it does not answer, where a program or a service fails. */
            baseline_failure?: string | null;
            /** @description The example. */
            example: components["schemas"]["Example"];
            /** @description All that ever happened to it, oldest first. */
            history: components["schemas"]["Change"][];
            /** @description Where the output's values stand in the input, by path; UTF-16 offsets. */
            spans: {
                [key: string]: components["schemas"]["Span"][];
            };
            suggestion?: components["schemas"]["Suggestion"] | null;
        };
        /** @description A page of examples. */
        ExampleList: {
            /** @description The examples. */
            examples: components["schemas"]["ListedExample"][];
            /**
             * Format: int64
             * @description How many match, on all pages.
             */
            total: number;
        };
        /** @description A failure in parts. */
        Failure: {
            /** @description The causes alone, from the nearest to the deepest. */
            causes: string[];
            /** @description What kind it is. */
            class: components["schemas"]["FailureClass"];
            /**
             * Format: int32
             * @description Exit code of the trainer.
             */
            exit_code?: number | null;
            /** @description What to do. */
            hint?: string | null;
            phase?: components["schemas"]["Phase"] | null;
            /** @description Beginning and end of what it wrote to stderr. */
            stderr: string;
            /** @description Beginning and end of what it wrote to stdout. */
            stdout: string;
            /** @description What failed. */
            what: string;
            where?: components["schemas"]["Phase"] | null;
            /** @description All that is known: causes, then the ends of its output. */
            why: string;
        };
        /**
         * @description The kinds of failures.
         * @enum {string}
         */
        FailureClass: "lost" | "network" | "settings" | "bad-data" | "model" | "out-of-memory" | "diverged" | "disk" | "cancelled" | "internal";
        /**
         * @description The outcome of a question.
         * @enum {string}
         */
        FallbackVerdict: "disabled" | "not-needed" | "injected" | "too-unsure";
        /** @description One field of two answers. */
        FieldDiff: {
            /** @description The field's name. */
            field: string;
            /** @description The left answer's value. */
            left: Json;
            /** @description The right answer's value. */
            right: Json;
            /** @description Whether they mean the same. */
            same: boolean;
        };
        /** @description What a field was inferred from. */
        FieldGuess: {
            /** @description Why, a sentence each. */
            evidence: string[];
            /** @description Whether only these values are allowed. */
            fixed: boolean;
            /** @description Whether its text is taken from the input. */
            grounded: boolean;
            /** @description Whether it is null or missing in some answers. */
            optional: boolean;
            /** @description As people name it: `items[].unit`. */
            path: string;
            /** @description Where its schema stands, a JSON pointer: `/properties/items/items/properties/unit`. */
            pointer: string;
            /** @description Its types: `string`, `number`, `integer`, `boolean`, `array`, `object`. */
            types: string[];
            /** @description Its different texts, the most frequent first; none where there are many. */
            values: string[];
        };
        /** @description A problem with one field of a request. */
        FieldProblem: {
            /** @description What is wrong with it. */
            detail: string;
            /** @description The field's name, dotted where it is nested. */
            field: string;
        };
        /** @description A file as text. */
        FileText: {
            /** @description What people should know of it, a sentence each. */
            notes: string[];
            /** @description The text: of a spreadsheet, its first sheet with examples as CSV. */
            text: string;
        };
        /** @description A way to fix a suspect: one decision an example. */
        Fix: {
            /** @description What it does. */
            action: components["schemas"]["FixAction"];
            /** @description To be made one by one, each only if the example is as it was seen. */
            decisions: components["schemas"]["FixDecision"][];
            /** @description On a button. */
            title: string;
        };
        /**
         * @description What a fix does.
         * @enum {string}
         */
        FixAction: "change" | "keep" | "keep-all" | "reject";
        /** @description One decision of a fix. */
        FixDecision: {
            /** @description What to decide. */
            action: components["schemas"]["FixVerb"];
            /** @description The example. */
            id: string;
            /** @description The right answer, for `edit`. */
            output?: Json;
            /** @description Why, for `reject`. */
            reason?: string | null;
        };
        /**
         * @description The decisions that fixes are made of; the API's routes of an example have these names.
         * @enum {string}
         */
        FixVerb: "approve" | "edit" | "reject";
        /** @description A revoked token. */
        GoneToken: {
            /** @description What was known of it. */
            token: components["schemas"]["TokenView"];
        };
        /** @description How people judge a task's examples. */
        Guidelines: {
            /** @description Paragraphs, and lines that begin with `- `. */
            text: string;
            /** @description What the task comes with. */
            usual: string;
        };
        /** @description What stands above the examples of two texts. */
        HeadingChange: {
            /** @description Of the later text. */
            after?: string | null;
            /** @description Of the earlier text. */
            before?: string | null;
        };
        /** @description The process is running. */
        Health: {
            /** @description `ok`. */
            status: string;
            /** @description Version of Graft. */
            version: string;
        };
        /** @description A measurement on held-out examples during a training. */
        HeldOut: {
            /**
             * Format: double
             * @description Mean loss per supervised token.
             */
            loss?: number | null;
            scores?: components["schemas"]["InterimScores"] | null;
            /**
             * Format: int64
             * @description Optimiser steps taken before it.
             */
            step: number;
        };
        /** @description The pending examples that would help most. */
        Helpful: {
            /** @description Labels with too few approved examples. */
            add: components["schemas"]["LabelToAdd"][];
            /** @description The most helpful first, 20 at most. */
            examples: components["schemas"]["HelpfulExample"][];
            /**
             * Format: int64
             * @description Pending examples of the task.
             */
            pending: number;
            /** @description A sentence about what was found. */
            text: string;
        };
        /** @description An example whose review would help. */
        HelpfulExample: components["schemas"]["ListedExample"] & {
            /**
             * Format: double
             * @description Confidence of the active version's answer, or else of the n-grams'; absent if there is neither.
             */
            confidence?: number | null;
            /**
             * Format: double
             * @description How much its text is like the most similar one that is approved or listed before it, from 0 to 1.
             */
            similarity: number;
            /** @description Why it was chosen, in a sentence or two. */
            why: string;
        };
        /** @description A suggestion that would improve the examples. */
        Hint: {
            /** @description Of what kind. */
            kind: components["schemas"]["HintKind"];
            /** @description The first lines that it concerns. */
            lines: number[];
            /** @description A sentence or two. */
            text: string;
        };
        /**
         * @description Kinds of hints, the gravest first.
         * @enum {string}
         */
        HintKind: "contradiction" | "spelling" | "other-labels" | "one-label" | "missing-label" | "unanswered" | "few" | "rare" | "unbalanced" | "known" | "duplicate" | "near-duplicate" | "short" | "long";
        /** @description An import under way or done. */
        Import: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Who began it. */
            by: string;
            /**
             * Format: int64
             * @description Rows stored so far.
             */
            done: number;
            /** @description Names it. */
            id: string;
            /** @description What kind of source it is. */
            kind: string;
            /** @description What the importer decided by itself, such as which row names a table's columns. */
            notes: string[];
            /**
             * Format: int64
             * @description Rows there are; 0 while the file is read.
             */
            of: number;
            /** @description The first examples, where only a preview was asked for. */
            preview: components["schemas"]["PreviewRow"][];
            problem?: components["schemas"]["Problem"] | null;
            /** @description The first rows that should have been examples but could not be. */
            problems: components["schemas"]["BadRow"][];
            report?: components["schemas"]["ImportReport"] | null;
            /** @description What gave no example, by kind. */
            skipped: components["schemas"]["SkippedRows"][];
            /** @description Where it is. */
            state: components["schemas"]["ImportState"];
            /** @description The task that was named. */
            task?: string | null;
        };
        /** @description An import that was begun. */
        ImportBegun: {
            /** @description It continues in the background; request its state by its id. */
            import: components["schemas"]["Import"];
        };
        /** @description Result of an import. */
        ImportChanges: {
            /**
             * Format: int64
             * @description New examples.
             */
            added: number;
            /**
             * Format: int64
             * @description Examples that the import would change, but a person has reviewed; the review is kept.
             */
            kept: number;
            /**
             * Format: int64
             * @description Examples that the import does not change.
             */
            unchanged: number;
            /**
             * Format: int64
             * @description Examples whose source changed, or which got an output or a review.
             */
            updated: number;
        };
        /**
         * @description What kind of source is uploaded.
         * @enum {string}
         */
        ImportKind: "slack" | "csv" | "jsonl" | "ask-ai" | "prompt";
        /** @description What an import changed. */
        ImportReport: components["schemas"]["ImportChanges"] & {
            /** @description Examples read. */
            examples: number;
            /** @description Of these, with an output. */
            labelled: number;
            /** @description Of these, such that people must decide on them. */
            pending: number;
            /** @description The task. */
            task: string;
        };
        /**
         * @description State of an import.
         * @enum {string}
         */
        ImportState: "running" | "done" | "failed";
        /** @description The importance of a setting. */
        Importance: {
            /** @description The setting. */
            name: string;
            /**
             * Format: double
             * @description From 0 to 1; all of a study make 1.
             */
            share: number;
        };
        /** @description A question for a version. */
        Infer: {
            /**
             * Format: int64
             * @description Time limit in milliseconds.
             */
            deadline_ms?: number | null;
            /** @description The input. */
            input: string;
            /** @description Maximum tokens of the answer. */
            max_tokens?: number | null;
            /** @description The person or thing that the request is about, such as a customer number: during a roll-out, all requests of one
             *     subject are answered by the same version. Default: each input is its own subject. */
            subject?: string | null;
            /** @description The task. */
            task: string;
            /** @description The version; the active one where it is absent. */
            version?: string | null;
        };
        /** @description Many questions for a version. */
        InferBatch: {
            /** @description The inputs, 1,000 at most. */
            inputs: string[];
            /** @description Maximum tokens of one answer. */
            max_tokens?: number | null;
            /** @description The task. */
            task: string;
            /** @description The version; the active one where it is absent. */
            version?: string | null;
        };
        /** @description The character range (Unicode scalar values) of a value in its input. */
        InputSpan: {
            /** @description End (exclusive). */
            end: number;
            /** @description The first character. */
            start: number;
        };
        /**
         * @description A system that Graft integrates with; at most one task of a home belongs to each.
         * @enum {string}
         */
        Integration: "slack" | "ask-ai";
        /** @description Scores of an adapter during its training: it answers held-out examples as in an evaluation. */
        InterimScores: {
            /**
             * Format: double
             * @description Share of answers that are all right, from 0 to 1.
             */
            accuracy: number;
            /** @description Number of held-out examples that were answered; the same ones at each measurement. */
            examples: number;
            /**
             * Format: double
             * @description From 0 to 1: the macro F1 of labels, the F1 of list items of fields, the F1 of words of texts; absent for fields
             *     without a list.
             */
            f1?: number | null;
            /**
             * Format: double
             * @description How long answering took.
             */
            seconds: number;
        };
        /** @description A number with its 95 % interval. */
        Interval: {
            /**
             * Format: double
             * @description 97.5th percentile.
             */
            high: number;
            /**
             * Format: double
             * @description 2.5th percentile.
             */
            low: number;
            /**
             * Format: double
             * @description The number.
             */
            value: number;
        };
        /** @description An answer that is kept with the numbers, to be looked at. */
        KeptAnswer: {
            /** @description The answer; absent where there was no valid one. */
            answer?: Json;
            /** @description Place of the example among the held-out ones, from 0. */
            place: number;
            /**
             * Format: double
             * @description The headline metric's share of it, from 0 to 1.
             */
            score: number;
        };
        /** @description A label, and how many examples have it. */
        LabelCount: {
            /** @description Examples with it. */
            count: number;
            /** @description The label. */
            label: string;
        };
        /** @description One label of a label task. */
        LabelScore: {
            /**
             * Format: double
             * @description Harmonic mean of the two.
             */
            f1: number;
            /** @description The label. */
            label: string;
            /**
             * Format: double
             * @description Right ones among those given.
             */
            precision: number;
            /**
             * Format: double
             * @description Found ones among those there are.
             */
            recall: number;
            /** @description Held-out examples that have it. */
            support: number;
        };
        /** @description A label with too few approved examples. */
        LabelToAdd: {
            /** @description How many to add at least. */
            add: number;
            /** @description Its approved examples. */
            approved: number;
            /** @description The label. */
            label: string;
            /** @description The same in words. */
            text: string;
        };
        /** @description How trainers are started on a machine. */
        Launcher: {
            /** @enum {string} */
            kind: "ssh";
        } | (components["schemas"]["SlurmJob"] & {
            /** @enum {string} */
            kind: "slurm";
        }) | (components["schemas"]["RayJob"] & {
            /** @enum {string} */
            kind: "ray";
        });
        /**
         * @description How a text says its examples.
         * @enum {string}
         */
        Layout: "label-lines" | "blocks" | "dialogue" | "table" | "json" | "text-and-json" | "answers" | "schema" | "lines";
        /** @description How much lower the loss of one trial is than that of another, on the same examples. */
        Lead: {
            /**
             * Format: double
             * @description What the difference is at least, with a probability of 95 %; absent if there are fewer than five examples.
             */
            at_least?: number | null;
            /** @description Number of examples. */
            examples: number;
            /**
             * Format: double
             * @description The difference of the losses.
             */
            loss: number;
        };
        /**
         * @description Learning-rate schedule after warm-up.
         * @enum {string}
         */
        LearningRateSchedule: "cosine" | "linear" | "constant";
        /** @description A run with the process that holds it. */
        LeaseView: {
            /**
             * Format: int64
             * @description Milliseconds until its lease ends, unless the process renews it.
             */
            left_ms: number;
            /** @description The process. */
            owner: string;
            /** @description The run. */
            run: string;
            /** @description Its task. */
            task: string;
        };
        /** @description A line that should be an example but is not. */
        LineProblem: {
            /** @description From 1. */
            line: number;
            /** @description What is wrong with it. */
            reason: string;
        };
        /** @description Where a version comes from. */
        Lineage: {
            /** @description The base model; absent where the version answers without one. */
            base: string | null;
            dataset?: components["schemas"]["Digest"] | null;
            /** @description The version whose weights its training started from. */
            parent?: string | null;
            /** @description The run that made it. */
            run?: string | null;
        };
        /** @description A base model. */
        ListedBase: {
            /**
             * Format: int64
             * @description Size of its files in bytes; 0 where there are none.
             */
            bytes: number;
            /** @description As users type it. */
            name: string;
            /** @description Folder or GGUF file. */
            path?: string | null;
            /** @description Whether all its files are on this machine. */
            present: boolean;
            pull?: components["schemas"]["PullView"] | null;
            /** @description Where the files came from: `cache`, `downloaded`, `pypi` or `path`. */
            source?: string | null;
            /** @description Where the terms are that people must accept before they download it. */
            terms?: string | null;
        };
        /** @description An example in a list. */
        ListedExample: components["schemas"]["Example"] & {
            suggestion?: components["schemas"]["SuggestionNote"] | null;
        };
        /** @description A submitted text with the run that learns from it. */
        ListedPrompt: components["schemas"]["Prompt"] & {
            job?: components["schemas"]["ListedRun"] | null;
            /** @description What a dataset says of itself. */
            metadata: components["schemas"]["PromptMetadata"];
            /** @description What trackers elsewhere, such as MLflow, have of its run. */
            tracking: components["schemas"]["TrackedRun"][];
        };
        /** @description A run in a list. */
        ListedRun: components["schemas"]["Run"] & {
            /** @description What of its directory can't be read. */
            damage?: string | null;
            progress?: components["schemas"]["Progress"] | null;
            /** @description The version that was made of it, or that it measures. */
            version?: string | null;
        };
        /** @description A live adapter: it learns continuously. */
        LiveAdapter: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who started it. */
            created_by: string;
            /**
             * Format: int64
             * @description `seq` of the last audit trail entry that was read.
             */
            cursor: number;
            /** @description The dataset whose held-out examples measure forgetting. */
            frozen: components["schemas"]["Digest"];
            /** @description The version that the next snapshot starts from. */
            head: string;
            /** @description Why it was paused automatically. */
            note?: string | null;
            /** @description Its settings. */
            settings: components["schemas"]["LiveSettings"];
            /** @description Its state. */
            state: components["schemas"]["LiveState"];
            /** @description Its task. */
            task: string;
            /** @description When it was changed last. */
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description Settings of a live adapter. */
        LiveSettings: {
            /**
             * @description Examples per step, including older ones.
             * @default 8
             */
            batch?: number;
            /**
             * Format: double
             * @description Share of the examples that is held out, as for every training of the task.
             * @default 0.2
             */
            eval_share?: number;
            /**
             * Format: double
             * @description Accepted loss of accuracy (0 to 1) on the frozen examples.
             * @default 0.02
             */
            forgetting?: number;
            /**
             * Format: int64
             * @description Number of snapshots to keep besides those in use.
             * @default 20
             */
            keep?: number;
            /**
             * Format: int64
             * @description Days to keep snapshots.
             * @default 30
             */
            keep_days?: number;
            /**
             * Format: double
             * @description Learning rate.
             * @default 0.00025
             */
            learning_rate?: number;
            /**
             * Format: int64
             * @description Minutes after which a snapshot is trained with fewer windows.
             * @default 60
             */
            minutes?: number;
            /**
             * @description Older examples to train on again for each window.
             * @default 1
             */
            replay?: number;
            /**
             * @description Start a roll-out of each accepted snapshot, unless one of the task is running.
             * @default true
             */
            rollout?: boolean;
            /**
             * Format: int64
             * @description Number of windows per snapshot.
             * @default 1000
             */
            windows?: number;
        };
        /** @description A snapshot of a live adapter. */
        LiveSnapshot: {
            /**
             * Format: double
             * @description Its accuracy on the frozen examples, from 0 to 1.
             */
            after?: number | null;
            /**
             * Format: double
             * @description Its parent's accuracy on the frozen examples, from 0 to 1.
             */
            before?: number | null;
            /**
             * Format: int64
             * @description Size of its files in bytes.
             */
            bytes?: number | null;
            /** @description When its windows were chosen. */
            created_at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description Place of its first window.
             */
            first: number;
            /**
             * Format: int64
             * @description Place of its last window.
             */
            last: number;
            learned?: components["schemas"]["SnapshotExamples"] | null;
            /** @description The version it started from. */
            parent: string;
            /** @description The run that trains it. */
            run?: string | null;
            /**
             * Format: int64
             * @description Number within the task, from 1.
             */
            seq: number;
            /** @description Its state. */
            state: components["schemas"]["SnapshotState"];
            /** @description Its task. */
            task: string;
            /** @description Its version, once trained. */
            version?: string | null;
            /** @description Why it was not accepted. */
            why?: string | null;
        };
        /**
         * @description State of a live adapter.
         * @enum {string}
         */
        LiveState: "running" | "paused";
        /** @description A live adapter with all details. */
        LiveStatus: {
            live: components["schemas"]["LiveAdapter"] | null;
            /** @description What happens next, in a sentence. */
            next: string;
            /** @description Its snapshots, newest first. */
            snapshots: components["schemas"]["LiveSnapshot"][];
            /** @description Its windows. */
            windows: components["schemas"]["WindowCounts"];
        };
        /**
         * @description One of the two output streams of a trainer.
         * @enum {string}
         */
        LogStream: "stdout" | "stderr";
        /** @description A part of an output log. */
        LogText: {
            /**
             * Format: int64
             * @description The offset to continue from.
             */
            next: number;
            /**
             * Format: int64
             * @description Size of the log in bytes.
             */
            size: number;
            /** @description Whole characters, from the requested offset on. */
            text: string;
        };
        /** @description The credential of a login: `user` and `password`, or `token` (one of `/tokens`, or that of the first start). */
        Login: {
            /**
             * Format: password
             * @description Password.
             */
            password?: string | null;
            /**
             * Format: password
             * @description A token instead.
             */
            token?: string | null;
            /** @description Name; `admin` otherwise. */
            user?: string | null;
        };
        /** @description A machine, other than the worker's own, that can execute runs. */
        Machine: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who added it. */
            created_by: string;
            /** @description Its ssh destination. */
            destination: string;
            /** @description How trainers are started there. */
            launcher: components["schemas"]["Launcher"];
            /** @description Its name. */
            name: string;
            /** @description Local path of the `graft` program to send to it; by default the worker's own program. */
            program?: string | null;
            /**
             * Format: int32
             * @description Number of runs that it may execute at once.
             */
            slots: number;
        };
        /** @description Facts about a machine. */
        MachineFacts: {
            /** @description Graft's folder there. */
            cache: string;
            /**
             * Format: int32
             * @description Processors.
             */
            cores?: number | null;
            /**
             * Format: int64
             * @description Bytes free on the disk that holds Graft's folder.
             */
            disk_free?: number | null;
            /** @description GPUs: name, memory and version of the driver. */
            gpus: string[];
            /** @description The C library, such as `glibc 2.36`. */
            libc?: string | null;
            /**
             * Format: int64
             * @description Bytes of memory.
             */
            memory?: number | null;
            /**
             * Format: int64
             * @description Bytes of memory that programs could still take.
             */
            memory_free?: number | null;
            /** @description Version of the program; absent if it is not there. */
            program?: string | null;
            /** @description The cluster's scheduler, such as `slurm 22.05.8`. */
            scheduler?: string | null;
            /** @description System and architecture, such as `Linux x86_64`. */
            system: string;
        };
        /** @description Lists the machines. */
        MachineList: {
            /** @description By name. */
            machines: components["schemas"]["Machine"][];
            /** @description Where machines can be rented: their names are given as `on`, too. */
            providers: components["schemas"]["ProviderView"][];
            /** @description Machines that are rented now. */
            rentals: components["schemas"]["RentalView"][];
            /** @description Address of the training service, if the server knows one: runs give `cerebros` as `on`. */
            service?: string | null;
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
        };
        /** @description A new review link. */
        MadeLink: {
            /** @description The address below the server's own; it is shown only once. */
            path: string;
            /** @description What is known of its token. Revoke it to end the link. */
            token: components["schemas"]["TokenView"];
        };
        /** @description A task that was made with examples. */
        MadeTask: {
            /** @description Examples that are stored. */
            examples: number;
            /** @description What was decided about the text, a sentence each. */
            notes: string[];
            /** @description Of these, such that people must decide on them. */
            pending: number;
            /** @description The first of them. */
            problems: components["schemas"]["BadRow"][];
            /** @description Whether they are enough to train. */
            ready: boolean;
            /** @description Examples of the text that can't be stored, most often because they don't fit the definition. */
            refused: number;
            /** @description The task. */
            task: components["schemas"]["TaskDetail"];
        };
        /** @description A new token. */
        MadeToken: {
            /** @description The token; it is shown only once. */
            secret: string;
            /** @description What is known of it. */
            token: components["schemas"]["TokenView"];
        };
        /** @description The tokens of an example. */
        Mask: {
            /** @description In order. */
            tokens: components["schemas"]["MaskToken"][];
        };
        /** @description A token and whether it is learned. */
        MaskToken: {
            /**
             * Format: int32
             * @description Its id in the base model's vocabulary.
             */
            id: number;
            /** @description Whether it carries loss. */
            loss: boolean;
            /** @description The text it stands for. */
            text: string;
        };
        /** @description Memory in bytes. */
        MemoryView: {
            /**
             * Format: int64
             * @description Of the machine, free for programs.
             */
            available?: number | null;
            /**
             * Format: int64
             * @description Of this process.
             */
            resident?: number | null;
        };
        /** @description One message of a conversation. */
        Message: {
            content?: components["schemas"]["Content"] | null;
            /** @description `system` (or `developer`), `user` or `assistant`. */
            role: string;
        };
        /**
         * @description What kind of adapter is trained.
         * @enum {string}
         */
        MethodName: "lora" | "soft-prompt";
        /** @description One number, from 0 to 1, with its 95 % interval. */
        Metric: {
            /**
             * Format: double
             * @description Upper end of the interval.
             */
            high: number;
            /**
             * Format: double
             * @description Lower end of the interval.
             */
            low: number;
            /** @description Such as `direction`, `item_f1`, `exact`, `accuracy`. */
            name: string;
            /**
             * Format: double
             * @description On all examples.
             */
            value: number;
        };
        /** @description A run of an experiment, as the server has it. */
        MlflowRun: {
            finished_at?: components["schemas"]["Timestamp"] | null;
            /** @description The server's id. */
            id: string;
            /** @description The last value of each series; null for NaN and infinity. */
            metrics: {
                [key: string]: number | null;
            };
            /** @description Its name. */
            name: string;
            /** @description Settings. */
            params: {
                [key: string]: string;
            };
            /** @description The server's id of the run that it is a part of. */
            parent?: string | null;
            started_at?: components["schemas"]["Timestamp"] | null;
            /** @description `SCHEDULED`, `RUNNING`, `FINISHED`, `FAILED` or `KILLED`. */
            status: string;
            /** @description Its page on the server. */
            url: string;
            /** @description Who ran it. */
            user: string;
        };
        /** @description Runs of an MLflow experiment and, where a task is named, its versions beside them. */
        MlflowRuns: {
            /** @description The metrics that most of them have, at most four: each is in two of them or more. */
            common_metrics: string[];
            /** @description The params that have different values in some of them. */
            differing_params: string[];
            /** @description The experiment, as given. */
            experiment: string;
            /** @description Its runs, the newest first. */
            runs: components["schemas"]["MlflowRun"][];
            /** @description Versions of the task, with the names that their runs have in MLflow. */
            versions: components["schemas"]["ComparedVersion"][];
        };
        /** @description The models there are. */
        ModelList: {
            /** @description Tasks, their versions, base models. */
            data: components["schemas"]["OneModel"][];
            /** @description `list`. */
            object: string;
        };
        /** @description A group of inputs or answers whose share changed. */
        MovedShare: {
            /**
             * Format: double
             * @description Its share of the newest ones.
             */
            now: number;
            /**
             * Format: double
             * @description Its share of those that they are compared with.
             */
            then: number;
            /** @description What they have in common. */
            what: string;
        };
        /** @description A JSON Schema; its name is not looked at. */
        NamedSchema: {
            /** @description The schema. */
            schema: JsonObject;
        };
        /** @description A table of texts. */
        NewBatch: {
            /** @description Import the examples of a text even if their labels are all others than those of its task's approved examples. */
            mix_labels?: boolean;
            /** @description CSV or JSON lines with the columns `prompt` (or `text`) and `model_type` (or `task`), and perhaps `priority`, `base` and
             *     `description`. */
            text: string;
        };
        /** @description Guidelines in people's own words. */
        NewGuidelines: {
            /** @description Paragraphs, and lines that begin with `- `; blank for those that the task comes with. 20000 characters at most. */
            text: string;
        };
        /** @description A review link to create. */
        NewLink: {
            /**
             * Format: int32
             * @description Days until it expires. Default: 14.
             */
            days?: number | null;
            /** @description Whom it is for; their decisions are recorded under this name. */
            person: string;
            /** @description The task whose examples they review. */
            task: string;
        };
        /** @description A machine to be added. */
        NewMachine: {
            /** @description Where it is, as the worker's `ssh` takes it: a name of its configuration, `user@host`, or `ssh://user@host:port`. Of a
             *     Ray cluster, the address of its dashboard. */
            destination: string;
            /** @description How trainers are started there; by `ssh` alone otherwise. */
            launcher?: components["schemas"]["Launcher"];
            /** @description Its name, which runs give as `on`. */
            name: string;
            /**
             * Format: int32
             * @description Number of runs that it may execute at once. Default: 1.
             */
            slots?: number;
        };
        /** @description A training to queue; missing settings come from Graft's recipe for the task. */
        NewRun: {
            /** @description Make its version active, if it is not worse than the active one. */
            activate?: boolean;
            /** @description The run that must succeed first. */
            after?: string | null;
            /** @description Base model: a name, a Hub id or a path; `smollm2-135m` otherwise. */
            base?: string;
            /** @description Evaluate the contestants before the training, so that the score to beat is known. */
            baseline?: boolean;
            /** @description Number of epochs relative to the recipe. Default: `recommended`; the setting `epochs` overrides it. */
            effort?: components["schemas"]["EffortName"];
            /**
             * Format: double
             * @description Share of the examples that is held out. Default: 0.2.
             */
            eval_share?: number | null;
            /** @description Evaluate the version on the held-out examples. Default: yes. */
            evaluate?: boolean;
            /** @description The version whose weights it starts from. It trains on new and corrected examples with some older ones, and keeps
             *     the version's base model, kind and shape of adapter. Default: a new adapter that trains on all examples. */
            init_from?: string | null;
            /** @description Kind of adapter. Default: LoRA. */
            method?: components["schemas"]["MethodName"];
            /** @description The machine that executes it, one of `graft machines list`. Default: the worker's own. */
            on?: string | null;
            /** @description Priority in the queue. Default: `normal`. */
            priority?: components["schemas"]["PriorityName"];
            /** @description With `init_from`: how many older examples it trains on again for each new one, and at least 40. Default: 4. */
            replay?: number | null;
            /** @description Also evaluate the bare base model, which doubles the time. */
            score_base?: boolean;
            /** @description Settings that differ from the recipe; the names are those of the flags of `graft train`. */
            settings?: components["schemas"]["RunSettings"];
            split?: components["schemas"]["SplitName"] | null;
            /** @description The task. */
            task: string;
            /** @description Whether the run is sent to trackers such as MLflow. Default: if any are configured. */
            track?: boolean | null;
            /** @description Name of its version. Default: the next number. */
            version?: string | null;
        };
        /** @description A schedule to create. */
        NewSchedule: {
            /**
             * Format: int64
             * @description As soon as there are this many approved examples more than the last time; 0: only at the times.
             */
            after_new?: number;
            /** @description When: minute, hour, day of month, month, day of week; `0 3 * * *` is three o'clock each night. Empty: at no
             *     times, but after `after_new` approvals. */
            cron?: string;
            /** @description At these times although nothing has changed since the last time. */
            even_unchanged?: boolean;
            /** @description Its name. Default: the task's name. */
            id?: string | null;
            /**
             * Format: int64
             * @description At these times only with at least this many approved examples more than the last time.
             */
            min_new?: number;
            /** @description What is queued, as the body of `POST /runs`. */
            request: components["schemas"]["NewRun"];
            /** @description Its time zone, such as `Europe/Berlin`. Default: the machine's. */
            zone?: string | null;
        };
        /** @description A study to start. */
        NewStudy: {
            /** @description Base model. Default: `smollm2-135m`. */
            base?: string | null;
            /** @description `20-trials`, `60m` or `2h`. */
            budget: string;
            method?: components["schemas"]["MethodName"] | null;
            /** @description More base models: each trial uses one of all. Losses are then per example, since models count tokens differently. */
            more_bases?: string[];
            /** @description The machine that executes the trials, one of `graft machines list`. Default: the worker's own. */
            on?: string | null;
            /**
             * Format: int64
             * @description Number of trials at a time. With more, each is chosen from fewer results. Default: 1.
             */
            parallel?: number | null;
            /** @description How trials are chosen. Default: `tpe`. */
            sampler?: components["schemas"]["StudySampler"];
            /** @description Fixed settings of all trials, which are not searched; `seed` is also the seed of the study. */
            settings?: components["schemas"]["RunSettings"];
            /** @description The task. */
            task: string;
        };
        /** @description New tables, in one of two forms. */
        NewTables: {
            own?: components["schemas"]["Tables"] | null;
            /** @description As `tables.toml`, which is kept as it is written. */
            toml?: string | null;
        };
        /** @description A task to be made with examples. */
        NewTask: {
            /** @description What the task is. */
            definition: components["schemas"]["TaskDefinition"];
            /** @description Whether people decide on every example; otherwise those with an answer are approved. */
            pending?: boolean;
            /** @description Its first examples, in any form that people paste. A JSON Schema, or answers without texts, bring none. */
            text?: string;
        };
        /** @description A token to create. */
        NewToken: {
            /**
             * Format: int32
             * @description Days until it expires. Default: never.
             */
            days?: number | null;
            /** @description What it is for. */
            label: string;
            /** @description Its role. */
            role: components["schemas"]["Role"];
        };
        /** @description A user to add, or to change. */
        NewUser: {
            /** @description 1 to 100 letters, digits, dots, dashes or underscores. */
            name: string;
            /**
             * Format: password
             * @description 10 characters at least.
             */
            password: string;
            /** @description The role. */
            role: components["schemas"]["Role"];
        };
        /** @description A machine type that can be rented now. */
        Offer: {
            /**
             * Format: int32
             * @description Price of an hour in cents of a US dollar.
             */
            cents_per_hour: number;
            /** @description For people. */
            description: string;
            /**
             * Format: int32
             * @description GPUs that it has.
             */
            gpus: number;
            /** @description The provider's name of the type, such as `gpu_1x_a10`. */
            kind: string;
            /** @description Where there is capacity for it. */
            region: string;
        };
        /** @description One agent. */
        OneAgent: {
            /** @description As it is now. */
            agent: components["schemas"]["Agent"];
        };
        /** @description One batch. */
        OneBatch: {
            /** @description It. */
            batch: components["schemas"]["Batch"];
        };
        /** @description One live adapter. */
        OneLive: {
            /** @description As it is now. */
            live: components["schemas"]["LiveAdapter"];
        };
        /** @description One machine. */
        OneMachine: {
            machine: components["schemas"]["Machine"];
        };
        /** @description One model. */
        OneModel: {
            /**
             * Format: int64
             * @description Seconds since 1970.
             */
            created: number;
            /** @description Its name. */
            id: string;
            /** @description `model`. */
            object: string;
            /** @description `graft`. */
            owned_by: string;
        };
        /** @description A download that was started or stopped. */
        OnePull: {
            /** @description As it is now. */
            pull: components["schemas"]["PullView"];
        };
        /** @description One roll-out. */
        OneRollout: {
            /** @description As it is now. */
            rollout: components["schemas"]["Rollout"];
        };
        /** @description One run. */
        OneRun: {
            /** @description As it is now. */
            run: components["schemas"]["Run"];
        };
        /** @description One schedule. */
        OneSchedule: {
            schedule: components["schemas"]["ScheduleView"];
        };
        /** @description One study. */
        OneStudy: {
            /** @description It. */
            study: components["schemas"]["Study"];
        };
        /** @description One user. */
        OneUser: {
            user: components["schemas"]["UserView"];
        };
        /** @description One version. */
        OneVersion: {
            /** @description As it is now. */
            version: components["schemas"]["Version"];
        };
        /** @description What it says. */
        OpenAiDetail: {
            /** @description Names the kind of error, where OpenAI has a name for it. */
            code?: string | null;
            message: string;
            /** @description The field it is about. */
            param?: string | null;
            type: string;
        };
        /** @description An error as OpenAI's clients expect it. */
        OpenAiError: {
            error: components["schemas"]["OpenAiDetail"];
        };
        /**
         * @description The order of a list of examples.
         * @enum {string}
         */
        OrderName: "imported" | "newest" | "oldest" | "uncertain" | "disagreeing";
        /** @description The reason for an override of a roll-out's policy. */
        OverrideRollout: {
            /** @description For the audit trail. */
            why: string;
        };
        /** @description How often people change a version's suggestions. */
        Overrides: {
            differing?: components["schemas"]["Spread"] | null;
            /**
             * Format: double
             * @description The share of changes that its confidences predict for the same suggestions.
             */
            promised?: number | null;
            reference?: components["schemas"]["Share"] | null;
            /** @description What follows. */
            state: components["schemas"]["DriftState"];
            /** @description The test and its threshold. */
            test: string;
            /** @description The numbers as a sentence, or why there are none. */
            text: string;
            window?: components["schemas"]["Share"] | null;
        };
        /** @description Number of held-out examples on which each run is better, by the headline metric. */
        Paired: {
            /** @description 50 at most of those that differ, the furthest apart first. */
            differing: components["schemas"]["PairedExample"][];
            /** @description Examples that it does worse. */
            losses: number;
            /** @description Examples that both do equally well. */
            ties: number;
            /** @description Examples that the last run does better than the first. */
            wins: number;
        };
        /** @description A held-out example that two runs answered differently well. */
        PairedExample: {
            /**
             * Format: double
             * @description The first run's share, from 0 to 1.
             */
            first: number;
            /** @description Its id. */
            id: string;
            /** @description Its text. */
            input: string;
            /**
             * Format: double
             * @description The last run's.
             */
            last: number;
            /** @description Its task. */
            task: string;
        };
        /** @description One parameter of a search. */
        Parameter: {
            /**
             * Format: double
             * @description Its default value.
             */
            default: number;
            /** @description The values that it can have. */
            domain: components["schemas"]["Domain"];
            /** @description Its name. */
            name: string;
            /** @description It applies only if another parameter, which precedes it, has this value. */
            only_if?: [
                string,
                number
            ] | null;
        };
        /** @description A part of what was said. */
        Part: {
            /** @description The words. */
            text?: string | null;
            /** @description `text`. */
            type: string;
        };
        /** @description A text to be understood. */
        PastedText: {
            /** @description A table's columns, where they can't be found out. */
            columns?: components["schemas"]["TableColumns"];
            /** @description The labels of a task that is not stored yet. */
            labels?: string[];
            /** @description The task that it is for: hints then compare it with the task's labels and its 5,000 newest examples. */
            task?: string | null;
            /** @description The text: lines of `"text" -> label`, blocks of `Task:`, `Input:` and `Expected:`, turns of a dialogue, CSV, JSON,
             *     a JSON Schema, or answers alone. */
            text: string;
        };
        /**
         * @description The phases of a run.
         * @enum {string}
         */
        Phase: "download" | "prepare" | "search" | "train" | "evaluate";
        /** @description An example that a person has open. */
        Place: {
            /** @description Its id. */
            id: string;
            /** @description Its task. */
            task: string;
        };
        /** @description The result of checking a request. */
        Preflight: {
            /** @description The command that does the same in the foreground. */
            command: string;
            decoder_only?: components["schemas"]["Estimate"] | null;
            efforts?: components["schemas"]["EffortEpochs"] | null;
            estimate?: components["schemas"]["Estimate"] | null;
            /** @description Whether there is no blocking problem. */
            ok: boolean;
            /** @description All problems and warnings. */
            problems: components["schemas"]["PreflightProblem"][];
            /** @description Every setting as the run would get it. */
            spec?: JsonObject | null;
            warm_start?: components["schemas"]["WarmStartExamples"] | null;
        };
        /**
         * @description How bad a problem is.
         * @enum {string}
         */
        PreflightLevel: "error" | "warning";
        /** @description A problem of a run. */
        PreflightProblem: {
            /** @description The field of the request it is about. */
            field?: string | null;
            /** @description What to do about it. */
            hint: string;
            /** @description How bad it is. */
            level: components["schemas"]["PreflightLevel"];
            /** @description What it is; fits "failed to …". */
            what: string;
        };
        /** @description An example as an import would make it. */
        PreviewRow: {
            /** @description Where it stands in the source. */
            at: string;
            /** @description The text. */
            input: string;
            /** @description The answer, if there is one. */
            output?: Json;
            /** @description `approved`, or `pending`: people must decide. */
            review: string;
        };
        /**
         * @description Priority of a queued run; among equal priorities, the oldest starts first.
         * @enum {string}
         */
        PriorityName: "low" | "normal" | "high";
        /** @description An error as `application/problem+json`. */
        Problem: JsonObject & {
            /** @description What went wrong this time. */
            detail: string;
            /** @description Which fields are wrong, where it is about fields. */
            errors?: components["schemas"]["FieldProblem"][];
            /** @description What the user can do about it. */
            hint?: string | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind in words. */
            title: string;
            /** @description Names the kind of problem; stable, so that programs may look at it. */
            type: string;
        };
        /**
         * @description How matrix products in training round their inputs. Sums, and everything else, are in f32.
         * @enum {string}
         */
        ProductPrecision: "auto" | "f32" | "bf16";
        /** @description How far a run is, from its events. */
        Progress: {
            baseline?: components["schemas"]["RunBaseline"] | null;
            /**
             * Format: double
             * @description Estimated seconds left.
             */
            eta_s?: number | null;
            /** @description The file that is being downloaded. */
            file?: string | null;
            held_out?: components["schemas"]["HeldOut"] | null;
            /**
             * Format: double
             * @description Loss of the last step.
             */
            loss?: number | null;
            /**
             * Format: int64
             * @description Optimiser steps in all, held-out examples, or bytes of the file; 0 while unknown.
             */
            of: number;
            /**
             * Format: double
             * @description From 0 to 100.
             */
            percent: number;
            /** @description What it does: `download`, `prepare`, `search`, `train` or `evaluate`. */
            phase?: string | null;
            /**
             * Format: int64
             * @description The last event taken in: a cursor.
             */
            seq: number;
            /**
             * Format: int64
             * @description Optimiser steps taken, held-out examples answered, or bytes downloaded of a file.
             */
            step: number;
            /**
             * Format: double
             * @description Prompt and answer tokens a second.
             */
            tokens_per_s?: number | null;
        };
        /** @description A text that was submitted for training. */
        Prompt: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who submitted it. */
            created_by: string;
            /** @description Name of its dataset: `prompt_<id>_<model type>`. */
            dataset: string;
            /** @description Description for people. */
            description: string;
            /**
             * Format: int64
             * @description Number of examples.
             */
            examples: number;
            /**
             * Format: int64
             * @description Number of the text, from 1.
             */
            id: number;
            /** @description The requested model type. */
            model_type: string;
            /** @description Why no run was queued. */
            note?: string | null;
            /**
             * Format: int64
             * @description Number of the text that it is a new version of.
             */
            parent?: number | null;
            /**
             * Format: int64
             * @description Number of examples that people had to review.
             */
            pending: number;
            /** @description The first 200 characters of the text. */
            preview: string;
            /** @description The run that was queued. */
            run?: string | null;
            /** @description How it asked to be trained on; absent for texts of earlier releases. */
            settings?: JsonObject | null;
            /** @description The task that its examples belong to. */
            task: string;
        };
        /** @description Texts that are submitted together. */
        PromptBatch: {
            /** @description The rows that are not submitted. */
            problems: components["schemas"]["LineProblem"][];
            /** @description In the table's order. */
            prompts: components["schemas"]["BatchPrompt"][];
            /** @description One run for each task and base model. */
            runs: components["schemas"]["BatchRun"][];
        };
        /** @description A submitted text in full. */
        PromptDetail: components["schemas"]["ListedPrompt"] & {
            /** @description The whole text. */
            text: string;
            /** @description It with all texts that it is a version of, and all versions of these, oldest first. */
            versions: components["schemas"]["PromptVersion"][];
        };
        /** @description What differs between two submitted texts. */
        PromptDiff: {
            /** @description The later text. */
            after: components["schemas"]["PromptVersion"];
            /** @description The earlier text. */
            before: components["schemas"]["PromptVersion"];
            /** @description Settings that differ. */
            settings: components["schemas"]["SettingChange"][];
            /** @description Their examples. */
            text: components["schemas"]["TextDiff"];
        };
        /** @description A text that is not submitted yet. */
        PromptDraft: {
            /**
             * @description Base model of the run.
             * @default null
             */
            base?: string | null;
            /**
             * @description What will be asked for.
             * @default null
             */
            model_type?: string | null;
            /**
             * Format: int64
             * @description Number of the text that it will be a new version of.
             * @default null
             */
            parent?: number | null;
            /** @default null */
            priority?: components["schemas"]["PriorityName"] | null;
            /**
             * @description The text.
             * @default
             */
            text?: string;
        };
        /** @description The submitted texts. */
        PromptList: {
            /** @description Newest first. */
            prompts: components["schemas"]["ListedPrompt"][];
        };
        /** @description What the dataset of a text says of itself. */
        PromptMetadata: {
            /** @description Who submitted it. */
            created_by: string;
            /** @description What was asked for. */
            model_type: string;
            /** @description `prompt_interface`. */
            source: string;
        };
        /** @description A prompt to show. */
        PromptOf: {
            /** @description What the model must write. */
            answer: components["schemas"]["AnswerForm"];
            /** @description The base model; `smollm2-135m` otherwise. */
            base?: string | null;
            /** @description The input. */
            input: string;
            /** @description What precedes every input. */
            instruction: string;
            /** @description Its answer. */
            output: Json;
        };
        /** @description What the run of a text reached. A run learns from all approved examples of the task, not only from those of its text. */
        PromptReached: {
            /** @description Whether the version is active. */
            active: boolean;
            /**
             * Format: int64
             * @description Examples that the run learned from.
             */
            learned?: number | null;
            /**
             * Format: double
             * @description Loss of the result, or of the last step.
             */
            loss?: number | null;
            score?: components["schemas"]["Metric"] | null;
            state?: components["schemas"]["RunState"] | null;
            /** @description The version that the run made. */
            version?: string | null;
        };
        /** @description A text to be trained on, with how. */
        PromptRequest: {
            /** @description Make the run's version active, if it is not worse than the active one. */
            activate?: boolean;
            /** @description Base model of the run; `smollm2-135m` otherwise. */
            base?: string | null;
            /** @description What it is, for people; the beginning of the text otherwise. */
            description?: string | null;
            /** @description Number of epochs relative to the recipe. Default: `recommended`. */
            effort?: components["schemas"]["EffortName"];
            /** @description Import the examples even if their labels are all others than those of the task's approved examples. */
            mix_labels?: boolean;
            /** @description `text_classification`, `sentiment_analysis`, `instruction_following`, `general_chat`, or the name of a task. */
            model_type: string;
            /**
             * Format: int64
             * @description Number of the text that this one is a new version of.
             */
            parent?: number | null;
            /** @description Import every example as pending; then nothing is trained. */
            pending?: boolean;
            /** @description Priority of its run in the queue. Default: `normal`. */
            priority?: components["schemas"]["PriorityName"];
            /** @description Budget of a search for better settings before the run trains, as of `POST /studies`: `20-trials`, `60m`. Default: no
             *     search. */
            search?: string | null;
            /** @description The text: examples in any form that people paste, at least 10 characters. */
            text: string;
            /** @description Whether the run is sent to trackers such as MLflow. Default: if any are configured. */
            track?: boolean | null;
        };
        /** @description A submitted text with what became of it. */
        PromptVersion: components["schemas"]["Prompt"] & {
            /** @description What its run reached. */
            reached: components["schemas"]["PromptReached"];
        };
        /** @description A provider of machines, as people choose it. */
        ProviderView: {
            /** @description Its name, which runs give as `on`. */
            name: string;
            /** @description What is missing, and what to do. */
            problem?: string | null;
            /** @description Whether this machine has a key for it. */
            ready: boolean;
        };
        /** @description A base model's name: built in, a Hub id (`org/name`, `org/name@revision`, `org/name:file.gguf`). */
        PullOf: {
            /** @description The name. */
            name: string;
            /** @description Whether the caller accepts the model's `terms`, where it has some. */
            terms_accepted?: boolean;
        };
        /**
         * @description Where a download is.
         * @enum {string}
         */
        PullState: "running" | "done" | "cancelled" | "failed";
        /** @description The progress or result of a download. */
        PullView: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Who asked for it, or submitted the run. */
            by: string;
            /**
             * Format: int64
             * @description Bytes of it that are here.
             */
            done_bytes: number;
            /** @description The file that is being downloaded. */
            file?: string | null;
            problem?: components["schemas"]["Problem"] | null;
            /** @description The run that downloads it; absent for a download that a person started. */
            run?: string | null;
            /** @description Where it is. */
            state: components["schemas"]["PullState"];
            /**
             * Format: int64
             * @description Bytes of it in all; 0 while unknown.
             */
            total_bytes: number;
        };
        /** @description What a version's held-out examples said of it. */
        Quality: {
            /** @description The metric that decides between versions. */
            metric: components["schemas"]["Metric"];
            /** @description Held-out examples. */
            n: number;
            /** @description The version. */
            version: string;
        };
        /** @description The machine that a run would rent now. */
        Quote: {
            /**
             * Format: int32
             * @description Minutes that a machine may live.
             */
            minutes: number;
            /**
             * Format: int64
             * @description What it costs in that time, in cents.
             */
            most_cents: number;
            /** @description The cheapest machine of an allowed type in an allowed region. */
            offer: components["schemas"]["Offer"];
            /** @description The provider. */
            provider: string;
        };
        /** @description What may be rented of a provider. */
        QuoteList: {
            /** @description The cheapest first; a run takes the first that can be had. */
            quotes: components["schemas"]["Quote"][];
        };
        /** @description Where a Ray cluster finds files, and what is asked of it for each trainer; what isn't given is the cluster's own choice. */
        RayJob: {
            /**
             * Format: int32
             * @description Processors.
             */
            cpus?: number | null;
            /**
             * Format: int32
             * @description GPUs.
             */
            gpus?: number | null;
            /**
             * Format: int64
             * @description Bytes of memory.
             */
            memory?: number | null;
            /** @description The same folder where the nodes see it under another path. */
            nodes?: string | null;
            /** @description A folder that the worker and the cluster's nodes share. */
            shared: string;
        };
        /**
         * @description What becomes of the upstream's answers.
         * @enum {string}
         */
        Recording: "off" | "pending" | "approved";
        /** @description Rejects an example. */
        Reject: {
            /** @description As for approve. */
            by?: string | null;
            /** @description Why it must not be used. */
            reason?: string;
            /**
             * Format: int32
             * @description The revision that the person saw.
             */
            revision: number;
            /**
             * Format: int64
             * @description As for approve.
             */
            seen?: number | null;
        };
        /** @description How well confidences agree with correctness. */
        Reliability: {
            /** @description Up to ten bins of about equal size, in order of confidence; equal confidences share a bin. */
            bins: components["schemas"]["ReliabilityBin"][];
            /**
             * Format: double
             * @description Brier score: mean squared distance of confidence and correctness.
             */
            brier: number;
            /** @description Number of answers. */
            count: number;
            /**
             * Format: double
             * @description Expected calibration error: mean distance of confidence and accuracy over the bins, weighted by size.
             */
            ece: number;
        };
        /** @description One row of the reliability table. */
        ReliabilityBin: {
            /**
             * Format: double
             * @description Fraction of correct answers.
             */
            accuracy: number;
            /**
             * Format: double
             * @description Mean confidence.
             */
            confidence: number;
            /** @description Number of answers. */
            count: number;
        };
        /** @description What was removed. */
        RemovedBase: {
            /** @description Files that were deleted. */
            deleted: number;
            /**
             * Format: int64
             * @description Bytes that are free now.
             */
            freed_bytes: number;
            /** @description Files that were kept because something else uses them. */
            kept: number;
            /** @description Names that were removed. */
            names: string[];
        };
        /** @description A batch that was removed. */
        RemovedBatch: {
            /** @description Its name. */
            removed: string;
        };
        /** @description A task's new name. */
        RenameTask: {
            /** @description The new name. */
            name: string;
        };
        /** @description Price of the machine that trains; 0 for your own machine. */
        Rent: {
            /** @description Such as `USD` or `€`, 8 characters at most. */
            currency: string;
            /**
             * Format: double
             * @description Price of an hour, in `currency`; 0 where nothing is paid by the hour.
             */
            price_per_hour: number;
        };
        /** @description One machine that was rented for a run. */
        Rental: {
            /** @description Where `ssh` reaches the machine, once it is known: a host, or `ssh://user@host:port`. */
            address?: string | null;
            /**
             * Format: int32
             * @description Price per hour in US cents.
             */
            cents_per_hour: number;
            ended_at?: components["schemas"]["Timestamp"] | null;
            /** @description The provider's id of the machine, once it is known. */
            instance?: string | null;
            /** @description When it was stored, just before the launch. Its cost counts from here. */
            intended_at: components["schemas"]["Timestamp"];
            /** @description The provider's name of the machine type. */
            kind: string;
            leaving_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description Upper bound of its total cost in cents.
             */
            most_cents: number;
            /** @description Unique name of the machine, by which the provider's list is searched. */
            name: string;
            /** @description The provider's name, such as `lambda` or `runpod`. */
            provider: string;
            /** @description The provider's region. */
            region: string;
            /** @description The run that it is for. */
            run: string;
            /** @description Its state. */
            state: components["schemas"]["RentalState"];
        };
        /**
         * @description State of a rental.
         * @enum {string}
         */
        RentalState: "intended" | "launched" | "ending" | "ended";
        /** @description A machine that is, or was, rented for a run. */
        RentalView: components["schemas"]["Rental"] & {
            /**
             * Format: int64
             * @description What it costs so far, or did in all, in cents.
             */
            cents: number;
        };
        /** @description The form of an answer. */
        ResponseFormat: {
            /** @enum {string} */
            type: "text";
        } | {
            /** @enum {string} */
            type: "json_object";
        } | {
            /** @description The schema. */
            json_schema: components["schemas"]["NamedSchema"];
            /** @enum {string} */
            type: "json_schema";
        };
        /**
         * @description The form of exported results.
         * @enum {string}
         */
        ResultFormat: "csv" | "jsonl" | "html";
        /** @description Review state of an example. Only approved examples are trained on. */
        Review: {
            /** @enum {string} */
            state: "pending";
        } | {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Who decided. */
            by: string;
            /** @enum {string} */
            state: "approved";
        } | {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Who decided. */
            by: string;
            /** @description Why. */
            reason: string;
            /** @enum {string} */
            state: "rejected";
        };
        /**
         * @description Which review states to list.
         * @enum {string}
         */
        ReviewFilterName: "pending" | "approved" | "rejected" | "audited";
        /** @description Where a live adapter goes back to. */
        RewindLive: {
            /**
             * @description The version; the parent of the newest accepted snapshot otherwise.
             * @default null
             */
            to?: string | null;
        };
        /**
         * @description A role; each also has the permissions of those before it, except for what only agents do.
         * @enum {string}
         */
        Role: "agent" | "viewer" | "auditor" | "trainer" | "admin";
        /** @description Which version is believed to be active. */
        Rollback: {
            /** @description The active version as the client last saw it; absent, whichever it is. */
            expected?: string | null;
        };
        /** @description A roll-out of a version. */
        Rollout: {
            /** @description The version that was active at the start; the candidate is compared with it. */
            against: string;
            /** @description Who started it. */
            created_by: string;
            /**
             * Format: int64
             * @description Inputs that only one version answered, because too many were waiting or stored.
             */
            dropped: number;
            ended_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description Number of requests that the candidate failed to answer.
             */
            failures: number;
            /**
             * Format: int64
             * @description Number of the roll-out, from 1.
             */
            id: number;
            /** @description Its rules. */
            policy: components["schemas"]["RolloutPolicy"];
            /** @description When it entered its present state. */
            stage_at: components["schemas"]["Timestamp"];
            /** @description When it started. */
            started_at: components["schemas"]["Timestamp"];
            /** @description Its state. */
            state: components["schemas"]["RolloutState"];
            /** @description Name of the task. */
            task: string;
            /** @description The candidate. */
            version: string;
            /** @description Why it ended, or why its policy was overridden. */
            why?: string | null;
        };
        /** @description Answer times of both versions of a roll-out, on requests that its hash distributed. Requests of named clients, of other
         *     stages, and answers for comparison, which wait for requests, are left out. */
        RolloutBothTimes: {
            /** @description Of the active version. */
            active: components["schemas"]["RolloutTimes"];
            /** @description Of the version that is rolled out. */
            candidate: components["schemas"]["RolloutTimes"];
        };
        /** @description Numbers of a roll-out's answers. */
        RolloutCounts: {
            /**
             * Format: double
             * @description Mean agreement of the answers, from 0 to 1.
             */
            agreement?: number | null;
            /**
             * Format: int64
             * @description Number of these for which the candidate's answer was served.
             */
            canary: number;
            /**
             * Format: int64
             * @description Inputs that both versions answered.
             */
            pairs: number;
        };
        /** @description A mean difference with the newest interval of its confidence sequence, which may be looked at as often as people like. */
        RolloutDifference: {
            /**
             * Format: double
             * @description Probability, at least, that no interval ever misses the true difference.
             */
            confidence: number;
            /**
             * Format: double
             * @description Upper end of the interval.
             */
            high: number;
            /**
             * Format: double
             * @description Lower end of the interval.
             */
            low: number;
            /**
             * Format: double
             * @description From -1 to 1.
             */
            mean: number;
        };
        /** @description Recent errors of both versions, from 0 to 1. */
        RolloutErrors: {
            /**
             * Format: double
             * @description The active version's mean.
             */
            active_mean?: number | null;
            /**
             * Format: double
             * @description The active version's 95th percentile on the same inputs.
             */
            active_p95?: number | null;
            /** @description Decisions that are looked at. */
            count: number;
            /** @description Whether these are enough. */
            enough: boolean;
            /**
             * Format: double
             * @description The 95th percentile at which the version is withdrawn.
             */
            limit: number;
            /**
             * Format: double
             * @description The version's largest.
             */
            max?: number | null;
            /**
             * Format: double
             * @description The version's mean.
             */
            mean?: number | null;
            /**
             * Format: double
             * @description The version's 95th percentile.
             */
            p95?: number | null;
            /** @description Answers of the version that were not all right. */
            wrong: number;
        };
        /** @description A condition for becoming active. */
        RolloutGate: {
            /** @description What was found, in a sentence. */
            found: string;
            /** @description What it is. */
            name: string;
            /** @description Whether it is met. */
            passed: boolean;
        };
        /** @description Scores of both versions against people's later decisions. */
        RolloutOutcomes: {
            /**
             * Format: double
             * @description Mean score of the active version, from 0 to 1.
             */
            active?: number | null;
            /**
             * Format: double
             * @description Mean score of the version, from 0 to 1.
             */
            candidate?: number | null;
            /** @description Inputs that people decided on. */
            decided: number;
            difference?: components["schemas"]["RolloutDifference"] | null;
            /** @description Whether the evidence has ever been sufficient. */
            is_not_worse: boolean;
            /** @description Whether the evidence has ever been sufficient. */
            is_worse: boolean;
            /** @description Inputs where it was worse. */
            losses: number;
            /**
             * Format: double
             * @description What an e-value must reach: 1 divided by the error rate.
             */
            needed: number;
            /**
             * Format: double
             * @description Evidence that the version is not worse by more than the margin: an e-value.
             */
            not_worse: number;
            /** @description Inputs where the version was better. */
            wins: number;
            /**
             * Format: double
             * @description Evidence that the version is worse: an e-value.
             */
            worse: number;
        };
        /** @description Rules for the decisions of a roll-out. */
        RolloutPolicy: {
            /**
             * @description Clients whose requests the canary always answers.
             * @default []
             */
            clients?: string[];
            /**
             * Format: double
             * @description The 95th percentile of its errors at which the version is withdrawn.
             * @default 0.2
             */
            drift_at?: number;
            /**
             * Format: int64
             * @description Period in minutes whose decisions are used; longer if they are fewer than needed.
             * @default 60
             */
            drift_minutes?: number;
            /**
             * @description Minimum number of decisions for it.
             * @default 1000
             */
            drift_samples?: number;
            /**
             * Format: double
             * @description Maximum probability of each wrong decision of the test.
             * @default 0.05
             */
            error_rate?: number;
            /**
             * Format: double
             * @description Score difference (0 to 1) that still counts as not worse than the active version.
             * @default 0.02
             */
            margin?: number;
            /**
             * Format: int64
             * @description Hours in shadow before the candidate may become active.
             * @default 336
             */
            shadow_hours?: number;
            /**
             * Format: double
             * @description Share of requests that the canary answers, chosen by a hash of the subject.
             * @default 0.1
             */
            share?: number;
        };
        /** @description A roll-out with its conditions and counts. */
        RolloutReport: {
            /** @description What both versions answered. */
            counts: components["schemas"]["RolloutCounts"];
            /** @description The newest errors of both. */
            errors: components["schemas"]["RolloutErrors"];
            /** @description The conditions for becoming active, in order. */
            gates: components["schemas"]["RolloutGate"][];
            /** @description What to do next, in a sentence. */
            next: string;
            /** @description Scores of both versions on decided inputs. */
            outcomes: components["schemas"]["RolloutOutcomes"];
            /** @description Whether all conditions are met. */
            ready: boolean;
            /** @description The roll-out. */
            rollout: components["schemas"]["Rollout"];
            times?: components["schemas"]["RolloutBothTimes"] | null;
        };
        /**
         * @description State of a roll-out.
         * @enum {string}
         */
        RolloutState: "shadow" | "canary" | "promoted" | "stopped" | "returned";
        /** @description Times from request to answer, in seconds. Only of requests that the roll-out gave to one of the versions at random while
         *     the other one answered such requests, too, so that both can be compared. */
        RolloutTimes: {
            /**
             * Format: int64
             * @description Answers.
             */
            answers: number;
            /**
             * Format: double
             * @description The median, if there are enough answers.
             */
            p50?: number | null;
            /**
             * Format: double
             * @description The 95th percentile.
             */
            p95?: number | null;
        };
        /** @description Regular expressions with the tables that they read values with. */
        RuleSet: {
            /** @description Other ways to write a value, by field (`unit`, or `items.unit` within a list): `boxes = "box"`. Upper and lower case
             *     are the same. */
            aliases?: JsonObject;
            /** @description Form `labels`: the label where no rule matches. Form `fields`: an object of values for fields that no rule gives;
             *     others are null or empty. */
            otherwise?: JsonObject | null;
            /** @description In order: the first rule that matches gives the label, or a field its value. */
            rules?: components["schemas"]["BaselineRule"][];
            /** @description What a number is multiplied by, by field and by the unit that stands beside the number: `g = 0.001`. A number with
             *     another unit is no value of the field. */
            units?: {
                [key: string]: {
                    [key: string]: number;
                };
            };
        };
        /** @description How often a rule gave something. */
        RuleUse: {
            /** @description Those of them whose answers are right. */
            right: number;
            /** @description Examples to whose answers it gave something. */
            used: number;
        };
        /** @description One training or evaluation, from request to result. */
        Run: {
            /** @description Whether to activate its version if it is not worse than the active one. */
            activate: boolean;
            /** @description The run that must succeed before this one starts. */
            after?: string | null;
            /**
             * Format: int32
             * @description Number of trainer processes started for it.
             */
            attempts: number;
            /** @description Name of the base model. */
            base: string;
            /** @description When it was requested. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who requested it. */
            created_by: string;
            /** @description Digest of the dataset. */
            dataset: components["schemas"]["Digest"];
            /** @description Its directory, relative to `GRAFT_HOME` or absolute. */
            dir: string;
            /** @description Why it failed; printed as full text. */
            error?: string | null;
            /**
             * Format: int64
             * @description Number of held-out examples.
             */
            eval_samples?: number | null;
            /**
             * Format: int32
             * @description Exit code of the trainer.
             */
            exit_code?: number | null;
            /**
             * Format: int64
             * @description The fence: increases with each change of the holder; a holder with an older value cannot write.
             */
            fence: number;
            /**
             * Format: double
             * @description Loss of the result on the held-out examples, or of the last step if there are none.
             */
            final_loss?: number | null;
            finished_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its name. */
            id: string;
            /** @description What it does. */
            kind: components["schemas"]["RunKind"];
            /** @description The process that holds it. */
            lease_owner?: string | null;
            /**
             * Format: int32
             * @description Maximum number of trainers that are started for it.
             */
            max_attempts: number;
            /** @description `lora` or `soft-prompt`. */
            method: string;
            not_before?: components["schemas"]["Timestamp"] | null;
            /** @description The machine that executes it; absent for the worker's own. */
            on?: string | null;
            /** @description Its current phase: `download`, `prepare`, `search`, `train` or `evaluate`. */
            phase?: string | null;
            /**
             * Format: int32
             * @description Process id of the trainer, also after it ended.
             */
            pid?: number | null;
            /** @description Priority in the queue. */
            priority: components["schemas"]["PriorityName"];
            /** @description The request; absent for a run that was only found as a directory. */
            request?: JsonObject | null;
            /** @description The study that chooses its settings before it trains. */
            search?: string | null;
            /**
             * Format: int64
             * @description Number of the run, from 1.
             */
            seq: number;
            /** @description The training spec; for an evaluation, the request. */
            spec: JsonObject;
            started_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its state. */
            state: components["schemas"]["RunState"];
            /** @description The study that it belongs to, if it is a trial. */
            study?: string | null;
            /** @description Name of the task. */
            task: string;
            /**
             * Format: int64
             * @description Revision of its task when it was prepared; absent if unknown.
             */
            task_revision?: number | null;
            /**
             * Format: int32
             * @description CPU threads that it uses; all of its worker's if absent.
             */
            threads?: number | null;
            /**
             * Format: int64
             * @description Number of training examples.
             */
            train_samples?: number | null;
            /** @description The name for its version; for an evaluation, the version that is evaluated. */
            version_name?: string | null;
            wants?: components["schemas"]["RunWish"] | null;
        };
        /** @description What answers without a language model, and how well. */
        RunBaseline: {
            /** @description Name of the metric. */
            metric: string;
            /** @description What it is: `regex`, `n-grams`, … */
            name: string;
            /**
             * Format: double
             * @description From 0 to 1, on the held-out examples.
             */
            value: number;
        };
        /** @description Runs side by side. */
        RunComparison: {
            /** @description Settings in which they differ. */
            config: components["schemas"]["ComparedField"][];
            /** @description Numbers of their versions on the held-out examples. */
            metrics: components["schemas"]["ComparedMetric"][];
            paired?: components["schemas"]["Paired"] | null;
            /** @description In the order asked for. */
            runs: components["schemas"]["Run"][];
        };
        /** @description A run with all details. */
        RunDetail: {
            /**
             * Format: int32
             * @description Trainers that were started for it.
             */
            attempts: number;
            /** @description The command that does the same. */
            command?: string | null;
            /** @description What of its directory can't be read. */
            damage?: string | null;
            failure?: components["schemas"]["Failure"] | null;
            /** @description Whether its trainer is running. */
            pid_alive: boolean;
            progress?: components["schemas"]["Progress"] | null;
            /** @description The machines that were rented for it, the oldest first. */
            rentals: components["schemas"]["RentalView"][];
            /** @description What `training_run.json` says, once it is there. */
            result?: JsonObject | null;
            /** @description The run. */
            run: components["schemas"]["Run"];
            /** @description What trackers elsewhere, such as MLflow, have of it. */
            tracking: components["schemas"]["TrackedRun"][];
            /** @description The version that was made of it. */
            version?: string | null;
            waiting?: components["schemas"]["Waiting"] | null;
        };
        /**
         * @description What a run does.
         * @enum {string}
         */
        RunKind: "train" | "evaluate";
        /** @description A page of runs. */
        RunList: {
            /** @description Newest first. */
            runs: components["schemas"]["ListedRun"][];
            /**
             * Format: int64
             * @description How many match, on all pages.
             */
            total: number;
        };
        /** @description Settings of a training; missing ones come from Graft's recipe for the task. */
        RunSettings: {
            /**
             * Format: float
             * @description LoRA: alpha; the adapter is scaled by alpha / rank.
             * @default null
             */
            alpha?: number | null;
            /**
             * Format: double
             * @description Labels: make labels with few examples more likely and those with many less, by the logarithm of their frequencies times
             *     this number; 0 disables it.
             * @default null
             */
            balance?: number | null;
            /**
             * @description Examples per optimiser step (computed as several micro-batches if needed).
             * @default null
             */
            batch_size?: number | null;
            /**
             * Format: double
             * @description AdamW beta1.
             * @default null
             */
            beta1?: number | null;
            /**
             * Format: double
             * @description AdamW beta2.
             * @default null
             */
            beta2?: number | null;
            /**
             * Format: int32
             * @description Checkpoints per epoch, or per twentieth of a training with more than 20 epochs.
             * @default null
             */
            checkpoints_per_epoch?: number | null;
            /**
             * Format: double
             * @description Clip the global gradient norm to this value; 0 disables clipping.
             * @default null
             */
            clip?: number | null;
            /**
             * @description Where to compute: auto (a GPU if there is one), cpu, gpu or gpu:N.
             * @default null
             */
            device?: string | null;
            /**
             * Format: float
             * @description LoRA: dropout.
             * @default null
             */
            dropout?: number | null;
            /**
             * Format: double
             * @description Number of epochs.
             * @default null
             */
            epochs?: number | null;
            /**
             * Format: double
             * @description AdamW epsilon.
             * @default null
             */
            eps?: number | null;
            /**
             * @description Maximum number of held-out examples whose loss is evaluated during training.
             * @default null
             */
            eval_examples?: number | null;
            /**
             * Format: int32
             * @description Evaluations of the held-out loss per epoch, or per twentieth of a training with more than 20 epochs; 0 evaluates
             *     only at the end.
             * @default null
             */
            evals_per_epoch?: number | null;
            /**
             * Format: double
             * @description Data augmentation: share of examples that get other names and amounts in each epoch, in input and answer together.
             * @default null
             */
            exchanged?: number | null;
            /**
             * Format: double
             * @description Peak learning rate.
             * @default null
             */
            learning_rate?: number | null;
            /**
             * @description Maximum source tokens (T5).
             * @default null
             */
            max_source?: number | null;
            /**
             * @description Maximum target tokens (T5).
             * @default null
             */
            max_target?: number | null;
            /**
             * @description Maximum tokens of prompt and answer; longer examples are skipped and counted.
             * @default null
             */
            max_tokens?: number | null;
            /**
             * Format: int64
             * @description Memory limit of the training in bytes; a flag may say 1500M or 2G [default: the free memory].
             * @default null
             */
            memory?: number | null;
            /**
             * Format: double
             * @description Labels: weight of n-grams that are fitted to the same examples, beside the adapter in the choice of a label; 0 leaves them
             *     out.
             * @default null
             */
            n_grams?: number | null;
            /**
             * @description Tokens per micro-batch; fewer need less memory.
             * @default null
             */
            pass_tokens?: number | null;
            /**
             * Format: int32
             * @description Early stopping: stop after this many evaluations without improvement; 0 disables it.
             * @default null
             */
            patience?: number | null;
            /** @default null */
            precision?: components["schemas"]["ProductPrecision"] | null;
            /**
             * @description Soft prompt: initialisation: `labels`, `vocabulary`, `random`, or `text:…`.
             * @default null
             */
            prompt_init?: string | null;
            /**
             * @description Soft prompt: number of virtual tokens.
             * @default null
             */
            prompt_tokens?: number | null;
            /**
             * @description LoRA: rank.
             * @default null
             */
            rank?: number | null;
            /**
             * @description LoRA: ranks of target modules: `equal`; `sensitivity` (by the gradients of the first examples); twice the rank of the
             *     others in the `first`, `middle` or `last` third of the blocks, in `attention` or `mlp` (all of these: the size of the
             *     adapter stays); or ranks by ends of names (`q_proj=32,down_proj=8`).
             * @default null
             */
            ranks?: string | null;
            /**
             * @description Gradient checkpointing: recompute activations in the backward pass. Less memory, more time, same result.
             * @default null
             */
            recompute?: boolean | null;
            /**
             * Format: double
             * @description Data augmentation: share of examples that are reworded in each epoch, for tasks that have wordings.
             * @default null
             */
            reworded?: number | null;
            /**
             * @description LoRA: scale by alpha / √rank (rsLoRA).
             * @default null
             */
            rslora?: boolean | null;
            /** @default null */
            schedule?: components["schemas"]["LearningRateSchedule"] | null;
            /**
             * @description Maximum number of held-out examples to answer at each evaluation during training, for accuracy and F1; 0 answers none.
             * @default null
             */
            score_examples?: number | null;
            /**
             * Format: int64
             * @description Seed of initialisation, example order, dropout, data augmentation and a random split.
             * @default null
             */
            seed?: number | null;
            /**
             * @description LoRA: target modules: `all-linear`, `decoder` (T5: faster; check quality), or ends of names (`q_proj,v_proj`).
             * @default null
             */
            targets?: string[] | null;
            /**
             * @description Number of threads [default: all cores].
             * @default null
             */
            threads?: number | null;
            /**
             * Format: double
             * @description Data augmentation: share of longer input words to misspell, chosen again in each epoch.
             * @default null
             */
            typos?: number | null;
            /**
             * Format: double
             * @description Share of all steps used for warm-up.
             * @default null
             */
            warmup?: number | null;
            /**
             * Format: double
             * @description AdamW weight decay.
             * @default null
             */
            weight_decay?: number | null;
        };
        /**
         * @description State of a run.
         * @enum {string}
         */
        RunState: "queued" | "starting" | "running" | "succeeded" | "failed" | "cancelled";
        /**
         * @description A request to a worker about a run that it holds.
         * @enum {string}
         */
        RunWish: "cancel";
        /** @description Lists the schedules. */
        ScheduleList: {
            /** @description By name. */
            schedules: components["schemas"]["ScheduleView"][];
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
        };
        /** @description A schedule: submits a run at given times. */
        ScheduleView: {
            /**
             * Format: int64
             * @description Number of new approvals that submits a run at any time; 0: none does.
             */
            after_new: number;
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who added it. */
            created_by: string;
            /** @description Its cron pattern; empty: it has no times. */
            cron: string;
            /** @description Whether it submits a run although nothing has changed since the task's last one. */
            even_unchanged: boolean;
            /** @description Its name. */
            id: string;
            last_at?: components["schemas"]["Timestamp"] | null;
            /** @description Why it submitted none the last time. */
            last_note?: string | null;
            /** @description The last run it submitted. */
            last_run?: string | null;
            /**
             * Format: int64
             * @description Least number of new approvals at its times.
             */
            min_new: number;
            next_at?: components["schemas"]["Timestamp"] | null;
            /** @description The request to submit. */
            request: JsonObject;
            /** @description Name of the task. */
            task: string;
            /** @description Time zone of the pattern. */
            zone: string;
        };
        /** @description The numbers of one model on the held-out examples of a task. */
        Scores: {
            /** @description How many of them got a valid answer; a missing answer is wrong in every way. */
            answered: number;
            confusion?: components["schemas"]["Confusion"] | null;
            /** @description Name of the metric that decides between versions. */
            headline: string;
            /** @description Label tasks: each label on its own. */
            labels?: components["schemas"]["LabelScore"][];
            /** @description In the order they are shown. */
            metrics: components["schemas"]["Metric"][];
            /** @description Held-out examples. */
            n: number;
            /** @description The headline's share of each example, in order; for paired comparison. */
            per_example: number[];
            rules?: components["schemas"]["Digest"] | null;
            /** @description The task's name. */
            task: string;
            /** @description Digest of the truth, so that only scores of the same examples are compared. */
            truth: components["schemas"]["Digest"];
        };
        /** @description The metric that decides between versions, on the held-out examples. */
        ScoresBrief: {
            base?: components["schemas"]["Metric"] | null;
            /** @description Of the contestants. */
            contestants: components["schemas"]["ContestantBrief"][];
            /** @description Number of held-out examples. */
            examples: number;
            /** @description Of the version. */
            metric: components["schemas"]["Metric"];
            /** @description Digest of the answers of these examples, so that only scores of the same ones are compared. */
            truth: components["schemas"]["Digest"];
        };
        /** @description Exceptions from the usual comparison of answers. Texts are compared without case, extra spaces, outer punctuation and a
         *     leading "the"; numbers to three decimals; the order of a list doesn't matter. */
        ScoringRules: {
            /**
             * @description Top-level fields that are compared character by character.
             * @default []
             */
            exact?: string[];
            /**
             * @description The metric that decides between versions: for fields `exact` (the usual one) or a field's name, for texts `rouge_l`
             *     (the usual one), `token_f1` or `exact`.
             * @default null
             */
            metric?: string | null;
            /**
             * @description Values that mean the same.
             * @default []
             */
            synonyms?: components["schemas"]["Synonym"][];
            /**
             * @description Properties of list items that don't decide whether an item is right; they are scored on their own.
             * @default []
             */
            unscored?: string[];
        };
        /** @description A page that has an example open. */
        Seat: {
            /** @description The person who has it open. */
            by: string;
            /** @description The example's id. */
            id: string;
            /** @description The page's own name: one person may have several open. */
            page: string;
            /** @description The task of the example that is open. */
            task: string;
        };
        /** @description Which pages have which examples open. */
        Seats: {
            /** @description Every page that has an example open, the asking one included. */
            seats: components["schemas"]["Seat"][];
        };
        /** @description Whether served inputs are like the training inputs. */
        ServedDrift: {
            /** @description Groups whose shares changed, those that moved furthest first. */
            moved: components["schemas"]["MovedShare"][];
            /** @description The same comparison for periods of the last days, oldest first; the last one is the window. */
            periods: components["schemas"]["ServedPeriod"][];
            /** @description Training inputs that they are compared with. */
            reference: number;
            /** @description What follows. */
            state: components["schemas"]["DriftState"];
            /** @description The test and its threshold. */
            test: string;
            /** @description The numbers as a sentence, or why there are none. */
            text: string;
            window?: components["schemas"]["ServedPeriod"] | null;
        };
        /** @description Inputs of consecutive hours. */
        ServedPeriod: {
            /** @description How far they are from the training inputs. */
            distance: components["schemas"]["Distance"];
            /** @description When it begins. */
            from: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description Different inputs in each hour, added up.
             */
            inputs: number;
            /** @description When it ends. */
            until: components["schemas"]["Timestamp"];
        };
        /** @description Who is asking. */
        SessionView: {
            /** @description Whether one must log in. */
            auth_required: boolean;
            role?: components["schemas"]["Role"] | null;
            /** @description Every role, from the least to the most. */
            roles: components["schemas"]["Role"][];
            /** @description With a review link: the task whose examples are all that they reach. */
            task?: string | null;
            /** @description The user's name; null if not logged in. */
            user?: string | null;
        };
        /** @description Another stage for a version. */
        SetStage: {
            /** @description `shadow`, `canary` or `archived`; `active` is reached by activation. */
            stage: components["schemas"]["Stage"];
        };
        /** @description A setting that two texts do not have in common. */
        SettingChange: {
            /** @description Its value for the later text; null if unknown. */
            after: Json;
            /** @description Its value for the earlier text; null if unknown. */
            before: Json;
            /** @description Its name. */
            name: string;
        };
        /** @description The Ask AI service's settings, with its own field names. */
        Settings: {
            /**
             * Format: double
             * @description Confidence that a suggestion must reach, from 0 to 1.
             */
            softPromptConfidenceThreshold: number;
            /** @description Whether the adapter writes a suggestion where the service has none, or only weak ones. */
            softPromptEnabled: boolean;
            /** @description Base folder of the trained artifacts, or an adapter's own; relative to `GRAFT_HOME`, or absolute. */
            softPromptModelDir: string;
        };
        /** @description A change of some of the settings; what is absent stays. */
        SettingsChange: {
            /**
             * Format: double
             * @description Confidence that a suggestion must reach, from 0 to 1.
             */
            softPromptConfidenceThreshold?: number | null;
            /** @description Whether the adapter writes a suggestion where the service has none, or only weak ones. */
            softPromptEnabled?: boolean | null;
            /** @description Base folder of the trained artifacts, or an adapter's own; relative to `GRAFT_HOME`, or absolute. */
            softPromptModelDir?: string | null;
        };
        /** @description Whether settings could be used. */
        SettingsCheck: {
            /** @description All that is wrong with them. */
            errors: components["schemas"]["FieldProblem"][];
            /** @description Nothing is wrong with them. */
            ok: boolean;
        };
        /** @description A share of a count, with its 95 % interval. */
        Share: {
            /** @description How many of them count. */
            count: number;
            /**
             * Format: double
             * @description Upper end of the interval.
             */
            high: number;
            /**
             * Format: double
             * @description Lower end of the interval.
             */
            low: number;
            /** @description How many there are. */
            n: number;
            /**
             * Format: double
             * @description `count / n`.
             */
            share: number;
        };
        /** @description How far a distribution has moved. */
        Shift: {
            distance?: components["schemas"]["Distance"] | null;
            reference?: components["schemas"]["Spread"] | null;
            /** @description What follows. */
            state: components["schemas"]["DriftState"];
            /** @description The test and its threshold. */
            test: string;
            /** @description The numbers as a sentence, or why there are none. */
            text: string;
            window?: components["schemas"]["Spread"] | null;
        };
        /** @description A held-out example and what a version answered to it. */
        ShownAnswer: {
            /** @description What the version answered; absent where that was not valid. */
            answer?: Json;
            diff?: components["schemas"]["Diff"] | null;
            /** @description As it was when the version was measured. */
            example: components["schemas"]["Example"];
            /**
             * Format: double
             * @description The headline metric's share of it, from 0 to 1.
             */
            score: number;
        };
        /** @description Where a page is. */
        Sit: {
            at?: components["schemas"]["Place"] | null;
            /** @description The page's own name, made up once when it is opened. */
            page: string;
        };
        /** @description Things of one kind that gave no example. */
        SkippedRows: {
            /** @description How many. */
            count: number;
            /** @description Where the first one is: a file, row, line or key. */
            first_where: string;
            /** @description `channel_join`, `null`, `malformed`, … */
            kind: string;
        };
        /** @description What is asked of Slurm for each trainer; what isn't given is the cluster's own choice. */
        SlurmJob: {
            /** @description The account that is charged. */
            account?: string | null;
            /**
             * Format: int32
             * @description Processors.
             */
            cpus?: number | null;
            /** @description GPUs: how many, or a type and how many (`a100:2`). */
            gpus?: string | null;
            /** @description Memory as Slurm reads it, such as `16G`. */
            memory?: string | null;
            /** @description The partition, or several with commas between. */
            partition?: string | null;
            /** @description The time limit as Slurm reads it: minutes, `hours:minutes:seconds` or `days-hours`. */
            time_limit?: string | null;
        };
        /** @description The examples that a snapshot learns. */
        SnapshotExamples: {
            /**
             * Format: int64
             * @description How many of the older ones people corrected.
             */
            corrected: number;
            /**
             * Format: int64
             * @description New and changed ones.
             */
            new: number;
            /**
             * Format: int64
             * @description Older ones that are learned again.
             */
            replayed: number;
        };
        /**
         * @description The outcome of a snapshot.
         * @enum {string}
         */
        SnapshotState: "training" | "accepted" | "refused" | "failed" | "rewound";
        /** @description Where an example came from. */
        Source: {
            at?: components["schemas"]["Timestamp"] | null;
            /** @description `slack`, `ask-ai`, `csv`, `jsonl`, `prompt`. */
            kind: string;
            /** @description Key in the source: a Slack `ts`, a query id, a row number. */
            reference: string;
        };
        /** @description How many examples came from one kind of source. */
        SourceCount: {
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /** @description `slack`, `csv`, … */
            kind: string;
        };
        /** @description A part of a text, in UTF-16 code units as JavaScript counts. */
        Span: {
            /**
             * Format: int32
             * @description One past the last.
             */
            end: number;
            /**
             * Format: int32
             * @description First unit.
             */
            start: number;
        };
        /**
         * @description Which examples are held out.
         * @enum {string}
         */
        SplitName: "newest" | "random";
        /** @description How a sample of numbers is spread. */
        Spread: {
            /** @description Eleven of them at even distances, from the smallest to the largest: what a picture needs. */
            deciles: number[];
            /**
             * Format: double
             * @description The largest.
             */
            max: number;
            /**
             * Format: double
             * @description Their mean.
             */
            mean: number;
            /** @description How many numbers. */
            n: number;
            /**
             * Format: double
             * @description Their 95th percentile.
             */
            p95: number;
        };
        /**
         * @description Stage of a version.
         * @enum {string}
         */
        Stage: "shadow" | "canary" | "active" | "archived";
        /** @description A live adapter to be started. */
        StartLive: {
            /**
             * @description The version that it starts from; the active one otherwise.
             * @default null
             */
            from?: string | null;
            /**
             * @description Its settings; missing ones have their defaults.
             * @default {
             *       "windows": 1000,
             *       "minutes": 60,
             *       "learning_rate": 0.00025,
             *       "replay": 1,
             *       "batch": 8,
             *       "eval_share": 0.2,
             *       "forgetting": 0.02,
             *       "rollout": true,
             *       "keep": 20,
             *       "keep_days": 30
             *     }
             */
            settings?: components["schemas"]["LiveSettings"];
        };
        /** @description A version to be rolled out. */
        StartRollout: {
            /** @description Its policy; missing settings have their defaults. */
            policy?: components["schemas"]["RolloutPolicy"];
            /** @description The version. */
            version: string;
        };
        /** @description What people's approved messages add up to. */
        Stats: {
            /** @description Approved examples. */
            audited: number;
            /** @description Pounds by place of rescue. */
            by_location: {
                [key: string]: number;
            };
            /** @description Pounds by kind of food. */
            by_subcategory: {
                [key: string]: number;
            };
            /** @description Items in them. */
            items: number;
            /**
             * Format: double
             * @description Pounds of them all.
             */
            pounds: number;
            /** @description Whether there are enough to train. */
            ready: boolean;
            /** @description The task. */
            task: string;
            /** @description Items without a known weight. */
            unweighed: number;
        };
        /** @description [`Stats`] with time and fields. */
        StatsReport: components["schemas"]["Stats"] & {
            /** @description Day by day, in the order of time. */
            over_time: components["schemas"]["DayStats"][];
            /** @description For each field of the answer, how often each of its most frequent values is given. */
            per_field: {
                [key: string]: {
                    [key: string]: number;
                };
            };
        };
        /** @description Why a roll-out ends. */
        StopRollout: {
            /**
             * @description For the audit trail.
             * @default null
             */
            why?: string | null;
        };
        /** @description Options of a stream. */
        StreamOptions: {
            /** @description The tokens, at its end. */
            include_usage?: boolean;
        };
        /** @description A search for settings. */
        Study: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who started it. */
            created_by: string;
            finished_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its name. */
            id: string;
            /** @description Why it could not continue at the last attempt. */
            note?: string | null;
            /** @description Everything that determines its trials: budget, seed, space, base, dataset. */
            plan: JsonObject;
            /**
             * Format: int64
             * @description Number of the study, from 1.
             */
            seq: number;
            /** @description Its state. */
            state: components["schemas"]["StudyState"];
            /** @description Name of the task. */
            task: string;
        };
        /** @description Lists the studies. */
        StudyList: {
            /** @description Newest first. */
            studies: components["schemas"]["Study"][];
        };
        /** @description A training that was queued. */
        StudyRun: {
            /** @description Its run. */
            run: components["schemas"]["Run"];
        };
        /**
         * @description How a study chooses its trials.
         * @enum {string}
         */
        StudySampler: "tpe" | "random";
        /**
         * @description State of a study.
         * @enum {string}
         */
        StudyState: "running" | "done" | "stopped";
        /** @description A study with what it found. */
        StudyView: {
            /**
             * Format: int64
             * @description The trial with the lowest loss.
             */
            best?: number | null;
            /** @description The command that trains with the best settings. */
            command?: string | null;
            /** @description Whether no trial was shown to be better than the recipe: its loss is lower by 1 % at least, and by more than chance
             *     explains; absent before the recipe was tried. */
            defaults_are_best?: boolean | null;
            /** @description Whether it ended before its budget was used up, because the defaults are best. */
            ended_early: boolean;
            /** @description The Pareto front: trials that no other trial beats in loss, size or latency without being worse in another of them. */
            front: number[];
            /** @description Importance of each setting, the most important first; empty before six trials. */
            importance: components["schemas"]["Importance"][];
            lead?: components["schemas"]["Lead"] | null;
            /** @description What is searched, in the sampler's order; a trial's `point` has a value for each that applies. */
            space: components["schemas"]["Parameter"][];
            /** @description It. */
            study: components["schemas"]["Study"];
            /** @description Its trials, in order. */
            trials: components["schemas"]["Trial"][];
        };
        /** @description A batch that was submitted. */
        SubmittedBatch: {
            /** @description It. */
            batch: components["schemas"]["Batch"];
            /** @description What was decided while the file was read. */
            notes: string[];
        };
        /** @description A job that was queued. */
        SubmittedJob: {
            /** @description Names it. */
            job_id: string;
        };
        /** @description A text that was submitted. */
        SubmittedPrompt: {
            /** @description What was decided about the text, a sentence each. */
            notes: string[];
            /** @description With its dataset's name, and its run or why there is none. */
            prompt: components["schemas"]["Prompt"];
        };
        /** @description A question of the Ask AI service with the suggestions it has. */
        Suggest: {
            /** @description The question. */
            query: string;
            /** @description The service's own suggestions: objects with `description` and `confidence`; other fields are kept. */
            suggestions?: JsonObject[];
        };
        /** @description The reply to a question. */
        SuggestReply: {
            /** @description Whether that confidence is calibrated. */
            calibrated: boolean;
            /**
             * Format: double
             * @description The adapter's confidence, if it was asked.
             */
            confidence: number | null;
            /** @description The service's suggestions as they came; before them the adapter's, if it was injected, with
             *     `source: "soft_prompt"`. */
            suggestions: JsonObject[];
            /**
             * Format: double
             * @description The threshold that it was measured against.
             */
            threshold: number;
            /** @description The outcome of the question. */
            verdict: components["schemas"]["FallbackVerdict"];
        };
        /** @description An answer that waits for a person. */
        SuggestedAnswer: components["schemas"]["SuggestionNote"] & {
            /** @description In the task's form. */
            answer: Json;
            /** @description How sure it is of each field, by path like `items[0].quantity`. */
            fields: {
                [key: string]: number;
            };
        };
        /** @description What a version answers to an example that waits for its audit. */
        Suggestion: {
            /** @description Its answer. */
            prediction: components["schemas"]["SuggestedAnswer"];
            /** @description The version's name. */
            version: string;
        };
        /** @description How sure the active version is, and whether it agrees. */
        SuggestionNote: {
            /**
             * Format: double
             * @description From 0 to 1.
             */
            confidence: number;
            /** @description Whether the baseline, or what came with the example, says something else. */
            disagrees: boolean;
        };
        /** @description Something to look at before it is learned from. */
        Suspect: {
            /** @description How many there are. */
            count: number;
            /** @description The examples, 100 at most. */
            examples: components["schemas"]["SuspectExample"][];
            /** @description What can be done; the first is proposed. */
            fixes: components["schemas"]["Fix"][];
            /** @description What kind of fault. */
            kind: components["schemas"]["SuspectKind"];
            /** @description One sentence about this one. */
            reason: string;
        };
        /** @description How many suspects there are of a kind. */
        SuspectCount: {
            /** @description How many. */
            count: number;
            /** @description The kind. */
            kind: components["schemas"]["SuspectKind"];
            /** @description For people. */
            title: string;
        };
        /** @description An example that is suspect. */
        SuspectExample: components["schemas"]["Example"] & {
            /** @description Whether it is on the held-out side. */
            held_out: boolean;
            /**
             * Format: int64
             * @description The `seq` of its newest change: a decision names it as what was seen.
             */
            seen: number;
        };
        /**
         * @description Why examples are suspect, in the order in which they are listed.
         * @enum {string}
         */
        SuspectKind: "empty-label" | "label-spelling" | "same-text" | "near-duplicate" | "disagreement" | "parser-unchanged";
        /** @description The suspects of a task. */
        Suspects: {
            /** @description How many there are of each kind. */
            counts: components["schemas"]["SuspectCount"][];
            /** @description Approved examples that were looked at. */
            examples: number;
            /** @description The worst first, 500 at most. */
            suspects: components["schemas"]["Suspect"][];
        };
        /** @description What the last sweep of a home found, and when. */
        SweepView: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description How many belong to nothing but were kept. */
            kept: number;
            /** @description Rows whose files are gone: `run …`, `version …`. */
            missing: string[];
            /** @description How many folders and files were removed. */
            removed: number;
        };
        /** @description What became active. */
        Switched: {
            /** @description The one that was. */
            previous?: string | null;
            /** @description The version that is active now. */
            version: components["schemas"]["Version"];
        };
        /** @description A value of a field that stands for another. */
        Synonym: {
            /** @description The property. */
            field: string;
            /** @description The value it stands for; null otherwise. */
            means?: string | null;
            /** @description Its value, in lower case. */
            value: string;
        };
        /** @description The machine and the service. */
        SystemView: {
            /** @description Base models known. */
            bases: components["schemas"]["Base"][];
            /** @description Path or URL of the database, without its password. */
            database: string;
            /**
             * Format: int64
             * @description Bytes free there.
             */
            disk_free?: number | null;
            /** @description Where state is stored. */
            home: string;
            /** @description Runs that those hold. */
            leases: components["schemas"]["LeaseView"][];
            /** @description Memory of the machine. */
            memory: components["schemas"]["MemoryView"];
            /** @description Runs by state. */
            queue: {
                [key: string]: number;
            };
            /** @description What answers now. */
            serving: JsonObject;
            /** @description When this server started. */
            started_at: components["schemas"]["Timestamp"];
            swept?: components["schemas"]["SweepView"] | null;
            /** @description External trackers to which runs are sent. */
            trackers: components["schemas"]["TrackerKind"][];
            /** @description Version of Graft. */
            version: string;
            /** @description Processes that take runs from the queue. */
            workers: components["schemas"]["WorkerView"][];
        };
        /** @description Which columns of a table hold what; each is a heading, or a number counted from 1. */
        TableColumns: {
            /** @description Whether the first row names the columns. */
            heading?: boolean | null;
            /** @description A key that stays the same when the text changes. */
            id?: string | null;
            /** @description The answer. */
            label?: string | null;
            /** @description The text. */
            text?: string | null;
        };
        /** @description Everything about weights, foods and places that people edit. See `pounds_default.toml` for the file's form. */
        Tables: {
            /**
             * @description Overrides for all items of a subcategory: class, then unit.
             * @default {}
             */
            classes: {
                [key: string]: {
                    [key: string]: number;
                };
            };
            /**
             * @description Words that tell an item's subcategory: class, then words.
             * @default {}
             */
            foods: {
                [key: string]: string[];
            };
            /**
             * @description Overrides for one item: name, then unit. These win over classes.
             * @default {}
             */
            items: {
                [key: string]: {
                    [key: string]: number;
                };
            };
            /**
             * @description Other names of places: the name to write, then what people call it.
             * @default {}
             */
            locations: {
                [key: string]: string[];
            };
            /**
             * @description Pounds of one unit; `each` is an item without a unit.
             * @default {}
             */
            pounds: {
                [key: string]: number;
            };
        };
        /** @description The tables that people edit, as a file and as they are used. */
        TablesReply: {
            /** @description What Graft comes with. */
            builtin: components["schemas"]["Tables"];
            /** @description The file's own entries. */
            own: components["schemas"]["Tables"];
            /** @description The file's entries put over the built-in ones. */
            parsed: components["schemas"]["Tables"];
            /** @description The text that people edit, which is put over the built-in tables; empty where there is none. */
            toml: string;
        };
        /** @description Everything that determines how an input becomes a prompt and how an answer becomes a value.
         *
         *     It is stored in the run directory and in the adapter folder, so training, evaluation and inference can't use
         *     different cards. Its [digest](TaskCard::digest) identifies it. */
        TaskCard: {
            /** @description The form of the answer. */
            answer: components["schemas"]["AnswerForm"];
            /** @description The instruction before the input. It is the same for all examples, so that its computation is shared. */
            instruction: string;
            /** @description `slack-rescue`, `ask-ai`, `text-classification`, … */
            name: string;
        };
        /** @description A task after a change, and what the change means. */
        TaskChange: {
            /** @description What becomes of examples and versions. */
            impact: components["schemas"]["TaskImpact"];
            /** @description The task. */
            task: components["schemas"]["TaskDetail"];
        };
        /** @description All that is declared about a task. */
        TaskDefinition: {
            baseline?: components["schemas"]["BaselineDefinition"] | null;
            /** @description Form `labels`: whether an answer must be one of `labels`. */
            closed?: boolean;
            computed?: components["schemas"]["ComputedField"] | null;
            /** @description What the model must write. */
            form: components["schemas"]["AnswerKind"];
            /** @description Form `fields`: texts that stand word for word in the input, as paths such as `place` or `items.name`. The model
             *     can write only words of the input there. */
            grounded?: string[];
            /** @description How people judge its examples, unless they wrote their own guidelines: paragraphs, and lines that begin with "- ". */
            guidelines?: string;
            /** @description Put before the input; short, for it is part of every prompt. */
            instruction: string;
            integration?: components["schemas"]["Integration"] | null;
            /** @description Form `labels`: the labels to choose from; without `closed`, those of the approved examples come first. */
            labels?: string[];
            /** @description As users type it: lowercase letters, digits and `-`. */
            name: string;
            /** @description Whether Audit proposes the baseline's answer to an example that has none. */
            prefill?: boolean;
            /** @description Form `fields`: JSON Schema of the answer, as an object or as its text. The model writes the properties in this
             *     order. */
            schema?: JsonObject | null;
            /** @description How answers are compared with the truth. */
            scoring?: components["schemas"]["ScoringRules"];
            /** @description For people; made of the name if it is blank. */
            title?: string;
            /** @description Defaults of its trainings. */
            training?: components["schemas"]["TrainingDefaults"];
            /** @description Name of the built-in words in which answers can be told, for variants of examples. */
            wordings?: string | null;
        };
        /** @description A task as it is now, or as it was at a revision. */
        TaskDetail: {
            /** @description Whether it is archived: not listed, and not trained any more. */
            archived: boolean;
            changed_at?: components["schemas"]["Timestamp"] | null;
            /** @description Who made the revision. */
            changed_by: string;
            /** @description The definition. */
            definition: components["schemas"]["TaskDefinition"];
            /** @description Where it comes from. */
            origin: components["schemas"]["TaskOrigin"];
            /**
             * Format: int64
             * @description Counts the changes of the definition, from 1. A version keeps the revision it was trained with.
             */
            revision: number;
        };
        /** @description A task in a file. */
        TaskFile: {
            /** @description The name of the new task; that of the file otherwise. */
            name?: string | null;
            /** @description The file's text, in TOML or JSON. */
            text: string;
        };
        /**
         * @description What an answer of a task is.
         * @enum {string}
         */
        TaskForm: "json" | "label" | "text";
        /** @description What becomes of a task's examples and versions. */
        TaskImpact: {
            /** @description The version that answers. */
            active?: string | null;
            /** @description Whether new versions have another prompt or form of answers than earlier ones. */
            card_changed: boolean;
            /** @description Examples that have an answer; counted if the form changes. */
            examples: number;
            /** @description Those whose answers fit as they are. */
            fitting: number;
            /** @description Whether answers have another form: labels, schema, or kind. */
            form_changed: boolean;
            /** @description The same in sentences. */
            notes: string[];
            /** @description Those that fit once fields that are gone are left out and new ones are null. */
            reshaped: number;
            /** @description Those that don't fit: they stay as they are, and trainings leave them out. */
            unfit: number;
            /** @description The first of them. */
            unfit_examples: components["schemas"]["UnfitExample"][];
            /** @description Versions, which keep the revision they were trained with. */
            versions: number;
        };
        /** @description All tasks. */
        TaskList: {
            /** @description In the order they are shown. */
            tasks: components["schemas"]["TaskOverview"][];
        };
        /**
         * @description Where a task comes from.
         * @enum {string}
         */
        TaskOrigin: "built-in" | "changed" | "own";
        /** @description A task with the state of its examples, its run and its versions. */
        TaskOverview: {
            active?: components["schemas"]["VersionBrief"] | null;
            /** @description Whether it is archived. */
            archived: boolean;
            /** @description What a person should look at. */
            attention: components["schemas"]["Attention"][];
            /** @description States of its examples. */
            counts: components["schemas"]["Counts"];
            /** @description What an answer is. */
            form: components["schemas"]["TaskForm"];
            /** @description Whether something answers without a model. */
            has_baseline: boolean;
            /** @description Put before the input. */
            instruction: string;
            integration?: components["schemas"]["Integration"] | null;
            /** @description What an answer is, in the words of the definition. */
            kind: components["schemas"]["AnswerKind"];
            /** @description How many labels are known, for label tasks. */
            label_count?: number | null;
            /** @description The labels known so far, for label tasks; the first 200 of them. */
            labels?: string[] | null;
            /** @description As users type it. */
            name: string;
            /**
             * Format: int64
             * @description How many that takes.
             */
            needed: number;
            /** @description Where it comes from. */
            origin: components["schemas"]["TaskOrigin"];
            /** @description Whether there are enough approved examples to train. */
            ready: boolean;
            /**
             * Format: int64
             * @description Counts the changes of the definition, from 1.
             */
            revision: number;
            run?: components["schemas"]["Run"] | null;
            /** @description JSON Schema of an answer, for tasks whose answers are objects. */
            schema?: JsonObject | null;
            /** @description Where they came from. */
            sources: components["schemas"]["SourceCount"][];
            /** @description For people. */
            title: string;
        };
        /** @description Every revision of a task. */
        TaskRevisions: {
            /** @description Oldest first. */
            revisions: components["schemas"]["TaskDetail"][];
        };
        /** @description The roll-out of a task that runs, and those that ended. */
        TaskRollouts: {
            /** @description Those that ended, newest first. */
            ended: components["schemas"]["Rollout"][];
            running: components["schemas"]["RolloutReport"] | null;
        };
        /** @description A task to begin with. */
        TaskTemplate: {
            /** @description What it is for, a sentence. */
            about: string;
            /** @description Examples, as text that people could paste. */
            examples: string;
            /** @description The form of its answers. */
            form: components["schemas"]["AnswerKind"];
            /** @description How people judge its examples. */
            guidelines: string;
            /** @description Put before the input. */
            instruction: string;
            /** @description Names it, and is proposed as the task's name. */
            name: string;
            /** @description Who saved it; absent for one that Graft comes with. */
            saved_by?: string | null;
            /** @description Form `fields`: JSON Schema of the answer. */
            schema?: JsonObject | null;
            /** @description For people. */
            title: string;
            /** @description What people fill in before they use it: `{{name}}` in a text stands for it. */
            variables: components["schemas"]["TemplateVariable"][];
        };
        /** @description A template as it stands in its file. `{{name}}` in a text is replaced with the value of that variable. */
        TemplateFile: {
            /** @description What it is for, a sentence. */
            about?: string;
            /** @description Examples, as text that people could paste. */
            examples?: string;
            /** @description The form of its answers. */
            form: components["schemas"]["AnswerKind"];
            /** @description How people judge its examples. */
            guidelines?: string;
            /** @description Put before the input. */
            instruction: string;
            /** @description Form `fields`: JSON Schema of the answer, as an object or as its text. */
            schema?: JsonObject | null;
            /** @description For people. */
            title: string;
            /** @description What people fill in before they use it. When a template is saved, every `{{name}}` of its title, instruction and
             *     guidelines becomes one. */
            variables?: components["schemas"]["TemplateVariable"][];
        };
        /** @description The templates there are. */
        TemplateList: {
            /** @description In the order they are shown: first those that Graft comes with. */
            templates: components["schemas"]["TaskTemplate"][];
        };
        /** @description A task to be saved as a template. */
        TemplateOfTask: {
            /**
             * Format: int32
             * @description How many of the newest approved examples become its examples.
             */
            examples?: number;
            /** @description The template's name. */
            name: string;
        };
        /** @description What stands for the variables of a template. */
        TemplateValues: {
            /** @description A value for each variable that is not to have its own. */
            values?: {
                [key: string]: string;
            };
        };
        /** @description Something that people fill in before they use a template. */
        TemplateVariable: {
            /** @description Lowercase letters, digits and `_`; `{{name}}` stands for it. */
            name: string;
            /** @description For people; made of the name if it is blank. */
            title?: string;
            /** @description Filled in if nothing else is. */
            value?: string;
        };
        /** @description How much is in a text. */
        TextCounts: {
            /** @description Of these, with an answer. */
            answered: number;
            /** @description Examples. */
            examples: number;
            /** @description Different labels. */
            labels: number;
            /** @description Lines with a problem. */
            problems: number;
        };
        /** @description What differs between the examples of two texts, in the order of the texts. */
        TextDiff: {
            /** @description Examples that only the later text has. */
            added: components["schemas"]["Understood"][];
            /** @description Inputs with another answer. */
            changed: components["schemas"]["AnswerChange"][];
            /** @description Number of each, also where the lists are cut. */
            counts: components["schemas"]["DiffCounts"];
            heading?: components["schemas"]["HeadingChange"] | null;
            /** @description Examples that only the earlier text has. */
            removed: components["schemas"]["Understood"][];
        };
        /**
         * Format: int64
         * @description Milliseconds since the Unix epoch.
         */
        Timestamp: number;
        /** @description The tokens there are. */
        TokenList: {
            /** @description Oldest first. */
            tokens: components["schemas"]["TokenView"][];
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
        };
        /** @description An access token of a program. */
        TokenView: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who created it. */
            created_by: string;
            expires_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its public name. */
            id: string;
            /** @description What it is for. */
            label: string;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
            /** @description For a review link: the only task whose examples it reaches. */
            task?: string | null;
            used_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description What a tracker has of a run. */
        TrackedRun: {
            /** @description Why it could not be told, the last time. */
            error?: string | null;
            retry_at?: components["schemas"]["Timestamp"] | null;
            sent_at?: components["schemas"]["Timestamp"] | null;
            /** @description How far it is. */
            state: components["schemas"]["TrackedState"];
            /** @description The tracker. */
            tracker: components["schemas"]["TrackerKind"];
            /** @description The run's page there. */
            url?: string | null;
        };
        /**
         * @description How far a tracker is with a run.
         * @enum {string}
         */
        TrackedState: "waiting" | "following" | "failing" | "sent";
        /**
         * @description The kinds of trackers.
         * @enum {string}
         */
        TrackerKind: "mlflow" | "otlp";
        /** @description An example as a training learned it. */
        TrainedRow: {
            /** @description The example's id. */
            id: string;
            /** @description Its text as it was approved. */
            input: string;
            /** @description Whether a variant stood for it. */
            is_variant: boolean;
            /** @description Examples that the training learned from. */
            rows: number;
            /** @description The tokens in order. */
            tokens: components["schemas"]["MaskToken"][];
            /** @description The text that was trained. */
            trained: string;
            /** @description Variants that take turns; 0 where the example itself is learned in every epoch. */
            variants: number;
        };
        /** @description Why a run ended without a result. A trainer writes it as its last event. The follower of the run adds what can only
         *     be observed from outside, and stores it with the run. */
        TrainerFailure: {
            /** @description The causes, outermost first. */
            causes?: string[];
            /** @description The class, which decides whether the run is retried. */
            class: components["schemas"]["FailureClass"];
            /**
             * Format: int32
             * @description The public exit code.
             */
            code: number;
            /** @description What the user can do. */
            hint?: string | null;
            /** @description What failed, as a sentence without the causes. */
            message: string;
            phase?: components["schemas"]["Phase"] | null;
            /** @description Start and end of the process's stderr. */
            stderr?: string;
            /** @description Start and end of its stdout. */
            stdout?: string;
        };
        /** @description What a phase left. */
        TrainingCheckpoint: {
            /**
             * Format: int32
             * @description The phase.
             */
            phase: number;
            /** @description Where it is. */
            url: string;
        };
        /** @description How a dataset is trained; other fields are refused. */
        TrainingConfig: {
            /**
             * @description Base model. Default: `smollm2-135m`.
             * @default null
             */
            base?: string | null;
            /**
             * @description Passed over: adapters are safetensors in PEFT's layout.
             * @default null
             */
            checkpoint_format?: string | null;
            /**
             * @description Import the tables even if their labels are all others than those of the task's approved examples.
             * @default false
             */
            mix_labels?: boolean;
            /**
             * @description The task, or a kind of model; it wins over the dataset's name.
             * @default null
             */
            model_type?: string | null;
            /**
             * Format: int32
             * @description 4, which is what every job has.
             * @default null
             */
            phases?: number | null;
        };
        /** @description Defaults of a task's trainings. */
        TrainingDefaults: {
            /** @description Settings that differ from Graft's recipe; the names are those of the flags of `graft train`. */
            settings?: JsonObject;
            /**
             * @description Whether examples are learned from in variants: with other names and amounts, in other words, with typos. For
             *     fields read out of people's messages.
             * @default false
             */
            variants?: boolean;
        };
        /** @description A run as a row of the Ask AI system's `training_runs`; times are ISO 8601 in UTC. */
        TrainingRunRow: {
            /** @description Name of the base model. */
            baseModel: string;
            /**
             * Format: int64
             * @description Number of examples in the dataset.
             */
            datasetSize?: number | null;
            /** @description Why it failed: the first and last 2,500 characters of the error output, labelled. */
            errorMessage?: string | null;
            /**
             * Format: double
             * @description Loss of the result.
             */
            finalLoss?: number | null;
            /** @description When it ended. */
            finishedAt?: string | null;
            /**
             * Format: int64
             * @description Number of the run.
             */
            id: number;
            /** @description Path of the result's metadata, once it exists. */
            metadataPath?: string | null;
            /** @description A note of this response: nothing changed since the run. */
            note?: string | null;
            /** @description The run directory. */
            outputDir: string;
            /** @description Name of the run. */
            runIdentifier: string;
            /** @description When training began. */
            startedAt?: string | null;
            /** @description `queued`, `running`, `completed` or `failed`. */
            status: string;
            /** @description Always `soft_prompt`: that system uses one name for both methods. */
            trainingType: string;
            /** @description Who requested it. */
            triggeredBy: string;
        };
        /** @description The state of a job. */
        TrainingStatus: {
            /** @description The newest of them. */
            checkpoint?: string | null;
            /** @description What its phases left, by phase. */
            checkpoints: components["schemas"]["TrainingCheckpoint"][];
            /** @description Why it failed, in full. */
            error?: string | null;
            /** @description Its numbers so far. */
            metrics: JsonObject;
            /**
             * Format: int32
             * @description 0 while it waits, then 1 to 4: prepare and check the data, measure the baseline, train, evaluate and register.
             */
            phase: number;
            /** @description `queued`, `running`, `completed`, `failed` or `cancelled`. */
            status: string;
            /** @description When it was submitted. */
            submitted_at: components["schemas"]["Timestamp"];
        };
        /** @description A dataset to be trained on. */
        TrainingSubmission: {
            /** @description How it is trained. */
            config?: components["schemas"]["TrainingConfig"];
            /** @description Its tables. */
            csv_files: components["schemas"]["CsvFile"][];
            /** @description The sender's own name of the dataset: the same one is trained once, until its content differs. */
            dataset_id: string;
            /** @description Its name for people. If it ends with a kind of model (`…_text_classification`, `…_sentiment_analysis`,
             *     `…_instruction_following`, `…_general_chat`) or is the name of a task, that task is trained; `text-classification`
             *     otherwise. */
            dataset_name: string;
        };
        /** @description One trial of a study. */
        Trial: {
            /**
             * Format: int64
             * @description Size of its adapter in bytes.
             */
            bytes?: number | null;
            /**
             * Format: double
             * @description Milliseconds in which its adapter computed an example that the study holds out, on the machine that trained it.
             */
            latency_ms?: number | null;
            /**
             * Format: double
             * @description Loss on the examples that the study holds out; for a trial that was stopped early, the loss at that point.
             */
            loss?: number | null;
            /**
             * Format: int64
             * @description How long it trained.
             */
            millis: number;
            /** @description A note for people. */
            note?: string | null;
            /**
             * Format: int64
             * @description Number of the trial, from 0. Trial 0 uses the recipe unchanged.
             */
            number: number;
            /** @description Values of the parameters that apply; for a choice, the index. */
            point: JsonObject;
            /** @description Its run. */
            run: string;
            /** @description Loss at a quarter and at half of the training, where a trial may be stopped early. */
            rungs: (number | null)[];
            /** @description The same point as training settings. */
            settings: JsonObject;
            /** @description Its state. */
            state: components["schemas"]["TrialState"];
        };
        /**
         * @description State of a trial.
         * @enum {string}
         */
        TrialState: "running" | "complete" | "pruned" | "failed";
        /** @description A baseline to try. */
        TryBaseline: {
            baseline?: components["schemas"]["BaselineDefinition"] | null;
            /**
             * Format: int32
             * @description How many of the newest approved examples are asked; 1000 otherwise, and 50 of a command or endpoint.
             */
            limit?: number | null;
        };
        /** @description What a text was understood as. */
        Understanding: {
            /** @description How many there are of all, also where the lists are cut. */
            counts: components["schemas"]["TextCounts"];
            /** @description Why this form, a sentence each. */
            evidence: string[];
            /** @description In the text's order. */
            examples: components["schemas"]["Understood"][];
            /** @description What each field of the schema was inferred from. */
            fields: components["schemas"]["FieldGuess"][];
            form?: components["schemas"]["AnswerKind"] | null;
            /** @description A suggestion that would improve the examples. */
            hints: components["schemas"]["Hint"][];
            /** @description What stands above the examples and may be the task's instruction. */
            instruction?: string | null;
            /** @description Whether it is a table of texts that can be submitted together, each with its model type. */
            is_batch: boolean;
            /** @description The answers that are short texts, the most frequent first. */
            labels: components["schemas"]["LabelCount"][];
            /** @description How it says its examples. */
            layout: components["schemas"]["Layout"];
            /** @description What was decided about the text, a sentence each. */
            notes: string[];
            /** @description The lines that should be examples and are none. */
            problems: components["schemas"]["LineProblem"][];
            /** @description JSON Schema of the answers, where they are objects. */
            schema?: JsonObject | null;
        };
        /** @description An example of the text. */
        Understood: {
            /** @description What the model will see. */
            input: string;
            /** @description The line it begins in, from 1. */
            line: number;
            /** @description The wanted answer, if the text says one. */
            output?: Json;
        };
        /** @description Takes back the last decision. */
        Undo: {
            /** @description As for approve. */
            by?: string | null;
            /**
             * Format: int32
             * @description The revision that the person saw.
             */
            revision: number;
            /**
             * Format: int64
             * @description As for approve.
             */
            seen?: number | null;
        };
        /** @description An example that doesn't fit a task's form. */
        UnfitExample: {
            /** @description Its id. */
            id: string;
            /** @description Its text. */
            input: string;
            /** @description What is wrong with its answer. */
            reason: string;
        };
        /** @description What is uploaded, as `multipart/form-data`. */
        Upload: {
            /** @description `true` is the same as `skip` for `drafts`. */
            approved?: boolean | null;
            /** @description Names or ids of a Slack export's channels, separated by commas: only these are read. Direct messages are read
             *     only where they are named. */
            channels?: string | null;
            /** @description JSON: `{"text": …, "label": …, "id": …}`, the headings or numbers of a table's columns, and `"heading"`:
             *     whether the first row names them, where that can't be found out. */
            columns?: string | null;
            /** @description What becomes of Ask AI's suggestions that are neither approved nor rejected: `approve` (without it), `pending`
             *     for people to audit, or `skip`. */
            drafts?: string | null;
            /**
             * Format: binary
             * @description The export (zip, one day's JSON, or xlsx), table, JSON lines, SQLite database or text.
             */
            file: Blob;
            /** @description What kind of source it is. */
            kind: components["schemas"]["ImportKind"];
            /**
             * Format: binary
             * @description Labels of a Slack export: lines of `{"ts": …, "truth": {…}}`.
             */
            labels?: Blob;
            /** @description `true`: import labels even if they are all others than those of the task's approved examples. */
            mix_labels?: boolean | null;
            /** @description `true`: people decide on every example, also on those with an answer. */
            pending?: boolean | null;
            /** @description `true`: nothing is stored; the import shows the first examples that it would make. */
            preview?: boolean | null;
            /** @description The task the examples belong to; for Slack and Ask AI the one that belongs to them otherwise. */
            task?: string | null;
        };
        /** @description A service with OpenAI's API to which requests for a task are passed on. */
        Upstream: {
            /**
             * Format: double
             * @description Graft answers itself if its calibrated confidence is at least this. Absent: the upstream always answers.
             */
            answer_above?: number | null;
            /**
             * Format: double
             * @description The share of Graft's answers for which the upstream is asked, too, to measure how often they agree.
             */
            compare_share?: number;
            /**
             * Format: double
             * @description What a million tokens of prompts cost, in whatever currency people reckon.
             */
            input_price?: number | null;
            /** @description The environment variable of the server that holds its key; the key itself is not stored. */
            key_env?: string | null;
            /** @description The model that it is asked for. */
            model: string;
            /**
             * Format: double
             * @description What a million tokens of answers cost.
             */
            output_price?: number | null;
            /** @description What becomes of its answers. */
            record?: components["schemas"]["Recording"];
            /**
             * Format: int32
             * @description Seconds until an answer of the upstream must begin.
             */
            timeout_seconds?: number;
            /** @description The address of its API, such as `https://api.openai.com/v1`. */
            url: string;
        };
        /** @description What became of requests for a task that has an upstream. */
        UpstreamCounts: {
            /**
             * Format: double
             * @description Sum of their agreement, each from 0 to 1.
             */
            agreement: number;
            /**
             * Format: int64
             * @description Tokens of the upstream's answers, likewise.
             */
            answer_tokens: number;
            /**
             * Format: int64
             * @description Answers of Graft that were compared with the upstream's.
             */
            compared: number;
            /**
             * Format: int64
             * @description Requests that got no answer: the upstream refused them or could not be reached.
             */
            failed: number;
            /**
             * Format: int64
             * @description Requests that Graft answered.
             */
            graft: number;
            /**
             * Format: int64
             * @description Answers to texts that were examples already.
             */
            known: number;
            /**
             * Format: int64
             * @description Tokens of prompts, as the upstream reports them, comparisons included.
             */
            prompt_tokens: number;
            /**
             * Format: int64
             * @description Answers of the upstream that became examples.
             */
            recorded: number;
            /**
             * Format: int64
             * @description Answers that do not have the task's form; they are not recorded.
             */
            unfit: number;
            /**
             * Format: int64
             * @description Requests that the upstream answered.
             */
            upstream: number;
        };
        /** @description One day of a task that has an upstream. */
        UpstreamDay: components["schemas"]["UpstreamCounts"] & {
            /**
             * Format: int64
             * @description Days since 1970 (UTC).
             */
            day: number;
        };
        /** @description The upstream of a task, and who answered its requests. */
        UpstreamReport: {
            /**
             * Format: double
             * @description How often Graft's answers are those of the upstream, from 0 to 1, by the task's scoring; absent before the first
             *     comparison.
             */
            agreement: number | null;
            /**
             * Format: double
             * @description What the upstream cost, at today's prices; absent if no price is set.
             */
            cost: number | null;
            /** @description The newest 30 days with requests, newest first. */
            days: components["schemas"]["UpstreamDay"][];
            /**
             * Format: double
             * @description What the requests that Graft answered alone would have cost, at the mean cost of the others.
             */
            saved: number | null;
            /**
             * Format: double
             * @description The share of answered requests that Graft answered itself, from 0 to 1; absent before the first.
             */
            share: number | null;
            /** @description The task. */
            task: string;
            /** @description The sums of all days. */
            total: components["schemas"]["UpstreamCounts"];
            upstream: components["schemas"]["Upstream"] | null;
        };
        /** @description Lists the users who may log in. */
        UserList: {
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
            /** @description By name. */
            users: components["schemas"]["UserView"][];
        };
        /** @description A person who may log in. */
        UserView: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who added the user. */
            created_by: string;
            /** @description The name to log in with. */
            name: string;
            /** @description What the user may do. */
            role: components["schemas"]["Role"];
        };
        /**
         * @description What a comparison says of the new version.
         * @enum {string}
         */
        Verdict: "better" | "worse" | "cannot-tell";
        /** @description A registered version of a task: an adapter, or a method without a language model. */
        Version: {
            /** @description Digest of the adapter's weights, or of the contestant's file. */
            adapter_digest: components["schemas"]["Digest"];
            /** @description The folder of its files, relative to `GRAFT_HOME`. */
            adapter_dir: string;
            /** @description Name of the base model; absent if the version needs none. */
            base: string | null;
            base_digest: components["schemas"]["Digest"] | null;
            /** @description Prompt and answer form it was trained with. */
            card: components["schemas"]["TaskCard"];
            /** @description Digest of the card. */
            card_digest: components["schemas"]["Digest"];
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who registered it. */
            created_by: string;
            dataset?: components["schemas"]["Digest"] | null;
            /** @description How it answers. */
            method: components["schemas"]["VersionMethod"];
            /** @description Scores on the held-out examples (`evaluation`) and what training measured (`training`). */
            metrics: JsonObject;
            /** @description Unique within the task. */
            name: string;
            /** @description The version whose weights its training started from. */
            parent?: string | null;
            /** @description The run that made it. */
            run?: string | null;
            /** @description Its stage. */
            stage: components["schemas"]["Stage"];
            /** @description Name of the task. */
            task: string;
            /**
             * Format: int64
             * @description Revision of the task it was trained with; absent if unknown.
             */
            task_revision?: number | null;
        };
        /** @description The active version of a task in a list. `GET /versions/{task}/{name}` returns all of it. */
        VersionBrief: {
            /** @description Name of the base model; absent if the version needs none. */
            base: string | null;
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who registered it. */
            created_by: string;
            /** @description How it answers. */
            method: components["schemas"]["VersionMethod"];
            /** @description Unique within the task. */
            name: string;
            /** @description The run that made it. */
            run?: string | null;
            scores: components["schemas"]["ScoresBrief"] | null;
        };
        /** @description A version with its numbers and answers of it. */
        VersionDetail: {
            evaluation?: components["schemas"]["Evaluation"] | null;
            /** @description Where it comes from. */
            lineage: components["schemas"]["Lineage"];
            /** @description Answers that are all right. */
            right: components["schemas"]["ShownAnswer"][];
            /** @description The version. */
            version: components["schemas"]["Version"];
            /** @description Answers that lack something, worst first. */
            worst: components["schemas"]["ShownAnswer"][];
        };
        /** @description The versions there are. */
        VersionList: {
            /** @description The version that a rollback of the task would make active. */
            before?: string | null;
            /**
             * Format: int64
             * @description How many, on all pages.
             */
            total: number;
            /** @description Newest first. */
            versions: components["schemas"]["Version"][];
        };
        /**
         * @description How a version answers.
         * @enum {string}
         */
        VersionMethod: "adapter" | "rules" | "n-grams" | "nearest" | "most-frequent";
        /** @description Why a run makes no progress, and when this is checked again. */
        Waiting: {
            until?: components["schemas"]["Timestamp"] | null;
            /** @description Why. */
            why: string;
        };
        /** @description The bundle that all agents are to hold. */
        WantedVersion: {
            /** @description SHA-256 of its bundle. */
            digest: components["schemas"]["Digest"];
            /** @description Name of the version. */
            version: string;
        };
        /** @description Which examples a warm start learns. */
        WarmStartExamples: {
            /** @description How many of those people corrected: a version suggested something else before they were approved. */
            corrected: number;
            /** @description Older examples that are left out. */
            left_out: number;
            /** @description Examples that are new or corrected since the version was trained. */
            new: number;
            /** @description Older examples that are learned again. */
            replayed: number;
            /** @description The version that it starts from. */
            version: string;
        };
        /** @description The agents that get a version at the same time. */
        Wave: {
            /** @description Agents that said nothing for two minutes. */
            away: number;
            /** @description Those present that failed to take it. */
            failed: number;
            /** @description Those away that went silent after they were told of it. */
            lost: number;
            /** @description Whether its agents are told of the active version: all before it have it. */
            open: boolean;
            /** @description Agents that are not away. */
            present: number;
            /** @description Those present that hold the active version. */
            synced: number;
            /**
             * Format: int32
             * @description Its number.
             */
            wave: number;
        };
        /** @description Counts of a live adapter's windows. */
        WindowCounts: {
            /**
             * Format: int64
             * @description All windows.
             */
            all: number;
            /**
             * Format: int64
             * @description Windows without a place yet.
             */
            buffered: number;
            /**
             * Format: int64
             * @description Windows that arrived late.
             */
            late: number;
            oldest?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description Windows that wait for the next snapshot.
             */
            waiting: number;
        };
        /** @description A process that takes runs from the queue. */
        WorkerView: {
            /** @description Its machine. */
            host: string;
            /** @description Names it. */
            id: string;
            /**
             * Format: int32
             * @description Its process there.
             */
            pid: number;
            /** @description When it was last heard of. */
            seen_at: components["schemas"]["Timestamp"];
            /**
             * Format: int32
             * @description CPU threads it gives to runs.
             */
            slots: number;
        };
        /** @description An example that a baseline does not answer right. */
        WrongAnswer: {
            /** @description What the baseline answers; absent where it gives no answer. */
            answer?: Json;
            /** @description Its id. */
            id: string;
            /** @description Its text. */
            input: string;
            /** @description Why there is no answer. */
            reason?: string | null;
            /** @description The rules that gave something, by their places from 0. */
            rules: number[];
            /** @description The approved answer. */
            wanted: Json;
        };
    };
    responses: {
        /** @description Any error. */
        OpenAiError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OpenAiError"];
            };
        };
        /** @description Any error. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    recent_runs: {
        parameters: {
            query?: {
                /** @description Maximum number, newest first. Default: 20. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingRunRow"][];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    clear_runs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cleared"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_one: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cleared"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    trigger: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description nothing changed since this training */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingRunRow"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingRunRow"];
                };
            };
            /** @description the database can't be read, there is nothing to train on, or no base model */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description a training is queued or running */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    suggest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Suggest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SuggestReply"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_bases: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BaseList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    pull_base: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PullOf"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OnePull"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_base: {
        parameters: {
            query: {
                /** @description Its name. */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedBase"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancel_pull: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CancelOf"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OnePull"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description a run downloads it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_base: {
        parameters: {
            query: {
                /** @description Its name. */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BaseDetail"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    base_state: {
        parameters: {
            query: {
                /** @description Its name. */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BaseState"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_batches: {
        parameters: {
            query?: {
                /** @description Only of this task. */
                task?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    begin_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["BatchUpload"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubmittedBatch"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_batch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneBatch"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_batch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedBatch"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    batch_results: {
        parameters: {
            query?: {
                /** @description `true`: also while parts are missing; those that are done are sent. */
                partial?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    resume_batch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneBatch"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    stop_batch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneBatch"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_changes: {
        parameters: {
            query?: {
                /** @description Only changes of this kind of object. */
                kind?: components["schemas"]["ChangeKind"];
                /** @description Only of this task. */
                task?: string;
                /** @description Only changes of the object with this id or name. */
                subject?: string;
                /** @description Only those after this `seq`. */
                after?: number;
                /** @description Only those before this `seq`. */
                before?: number;
                /** @description Which come first. Default: the oldest. */
                order?: components["schemas"]["ChangeOrder"];
                /** @description Maximum number, at most 500. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    compare: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Compare"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Compared"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_datasets: {
        parameters: {
            query?: {
                /** @description Only of this task. */
                task?: string;
                /** @description Maximum number, at most 500. */
                limit?: number;
                /** @description Number to skip at the start. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    stream_changes: {
        parameters: {
            query?: {
                /** @description Send the changes after this `seq`, like the `Last-Event-ID` header; without either, only new ones. */
                after?: number;
            };
            header?: {
                "Last-Event-ID"?: number | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Change"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_examples: {
        parameters: {
            query?: {
                /** @description Only of this task. */
                task?: string;
                /** @description Only examples in this review state. */
                state?: components["schemas"]["ReviewFilterName"];
                /** @description Only from this kind of source. */
                source?: string;
                /** @description Only with this text in input, output or id. */
                search?: string;
                /** @description Only decided on by this person. */
                by?: string;
                /** @description Only with a suggestion for this field, at any depth; confidence filters then apply to this field. */
                field?: string;
                /** @description Only with a suggestion of at least this confidence. */
                min_confidence?: number;
                /** @description Only with a suggestion of less than this confidence. */
                max_confidence?: number;
                /** @description The order. */
                order?: components["schemas"]["OrderName"];
                /** @description Maximum number, at most 500. */
                limit?: number;
                /** @description Number to skip at the start. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExampleList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    decide_bulk: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Bulk"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkResult"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_example: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExampleDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    approve_example: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Approve"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decided"];
                };
            };
            /** @description `current`: as it is */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    edit_example: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Edit"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decided"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_mask: {
        parameters: {
            query?: {
                /** @description Its name; `smollm2-135m` otherwise. */
                base?: string;
            };
            header?: never;
            path: {
                task: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mask"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    reject_example: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reject"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decided"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    undo_example: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Undo"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decided"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    begin_import: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["Upload"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportBegun"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_import: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Import"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    infer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Infer"];
            };
        };
        responses: {
            200: {
                headers: {
                    "Graft-Generation"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    infer_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InferBatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answers"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_machines: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MachineList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    add_machine: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewMachine"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneMachine"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_machine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneMachine"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    check_machine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MachineFacts"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_quotes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuoteList"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_mlflow_runs: {
        parameters: {
            query: {
                /** @description Name or id of the experiment; a task's is `graft/TASK`. */
                experiment: string;
                /** @description An expression in MLflow's language, such as `metrics.loss < 1`. */
                filter?: string;
                /** @description The task whose versions come beside the runs. */
                task?: string;
                /** @description Maximum number of runs, at most 5000. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MlflowRuns"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    sit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Sit"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Seats"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_prompts: {
        parameters: {
            query?: {
                /** @description Maximum number, at most 500. */
                limit?: number;
                /** @description Number to skip at the start. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    submit_prompt: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PromptRequest"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubmittedPrompt"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    submit_batch: {
        parameters: {
            query?: {
                /** @description Check the table; store nothing. */
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewBatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptBatch"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_draft: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptDraft"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    save_draft: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PromptDraft"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptDraft"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_submitted_prompt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    compare_prompts: {
        parameters: {
            query?: {
                /** @description Number of the earlier text. Default: the one that it is a new version of. */
                with?: number;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptDiff"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_table: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_runs: {
        parameters: {
            query?: {
                /** @description Only of this task. */
                task?: string;
                /** @description Only in this state. */
                state?: components["schemas"]["RunState"];
                /** @description Only of this kind. */
                kind?: components["schemas"]["RunKind"];
                /** @description Only the trials of this study. */
                study?: string;
                /** @description Maximum number, at most 500. */
                limit?: number;
                /** @description Number to skip at the start. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    submit_run: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRun"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneRun"];
                };
            };
            /** @description `run`: the one that is active */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `problems`: as of the preflight */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_runs: {
        parameters: {
            query: {
                /** @description Only those that ended before this time, in milliseconds since the Unix epoch. */
                finished_before: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedRuns"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    act_on_runs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkRuns"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkRunsResult"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    compare_runs: {
        parameters: {
            query: {
                /** @description Their ids, separated by commas; 2 to 20. */
                ids: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunComparison"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    check_run: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRun"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preflight"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedRuns"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_artifacts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactList"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    read_artifact: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancel_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneRun"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_events: {
        parameters: {
            query?: {
                /** @description Only those after this `seq`. */
                after?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    read_log: {
        parameters: {
            query?: {
                /** @description `stdout` or `stderr`. */
                stream?: components["schemas"]["LogStream"];
                /** @description First byte. */
                offset?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogText"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    resume_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneRun"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    retry_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneRun"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_row: {
        parameters: {
            query?: {
                /** @description Its place among the training examples, from 0. */
                place?: number;
                /** @description The epoch, from 0: each epoch may use another variant of the example. */
                epoch?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainedRow"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    stream_run: {
        parameters: {
            query?: {
                /** @description Only those after this `seq`. */
                after?: number;
            };
            header?: {
                "Last-Event-ID"?: number | null;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_schedules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    add_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSchedule"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneSchedule"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneSchedule"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    log_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Login"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    log_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replace_settings: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Settings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    change_settings: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingsChange"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_rent: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rent"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replace_rent: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rent"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rent"];
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    validate_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Settings"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingsCheck"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_stats: {
        parameters: {
            query?: {
                /** @description Default: the task with the Slack integration. */
                task?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatsReport"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    export_stats: {
        parameters: {
            query?: {
                /** @description Default: the task with the Slack integration. */
                task?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_studies: {
        parameters: {
            query?: {
                /** @description Only of this task. */
                task?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StudyList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    begin_study: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewStudy"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneStudy"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_study: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StudyView"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    stop_study: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneStudy"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    train_best: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StudyRun"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_system: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemView"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_tables: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TablesReply"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replace_tables: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTables"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TablesReply"];
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_tasks: {
        parameters: {
            query?: {
                /** @description Include archived tasks. */
                archived?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_task: {
        parameters: {
            query?: {
                /** @description `true`: only check and report the effect; store nothing. */
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskDefinition"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    import_task: {
        parameters: {
            query?: {
                /** @description `true`: only check and report the effect; store nothing. */
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskFile"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_prompt: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PromptOf"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mask"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_task_with_examples: {
        parameters: {
            query?: {
                /** @description `true`: only check and report the effect; store nothing. */
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTask"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeTask"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeTask"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    understand_text: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PastedText"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Understanding"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replace_task: {
        parameters: {
            query?: {
                /** @description `true`: only check and report the effect; store nothing. */
                dry_run?: boolean;
            };
            header?: {
                "If-Match"?: string | null;
            };
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskDefinition"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskChange"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    archive_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    patch_task: {
        parameters: {
            query?: {
                /** @description `true`: only check and report the effect; store nothing. */
                dry_run?: boolean;
            };
            header?: {
                "If-Match"?: string | null;
            };
            path: {
                task: string;
            };
            cookie?: never;
        };
        /** @description Fields of the definition; null removes one. */
        requestBody: {
            content: {
                "application/json": JsonObject;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskChange"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_agents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentsReport"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    say_hello: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentHello"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneAgent"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the name is another token's */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneAgent"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    stream_notices: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["AgentNotice"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    take_report: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentReport"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneAgent"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    try_baseline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TryBaseline"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BaselineTrial"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    send_bundle: {
        parameters: {
            query?: never;
            header?: {
                "If-None-Match"?: string | null;
            };
            path: {
                task: string;
                digest: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": unknown;
                };
            };
            /** @description the agent has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description the active version has another digest */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    clone_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CloneTask"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    add_contestant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddContestant"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneVersion"];
                };
            };
            /** @description it can't answer this task, or there are no training examples */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    task_drift: {
        parameters: {
            query?: {
                /** @description Default: the active version. */
                version?: string;
            };
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Drift"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_duplicates: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Duplicates"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    export_task: {
        parameters: {
            query?: {
                /** @description `toml` otherwise. */
                format?: "toml" | "json";
            };
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/toml": string;
                    "application/json": JsonObject;
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_guidelines: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Guidelines"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replace_guidelines: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string | null;
            };
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewGuidelines"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Guidelines"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_helpful: {
        parameters: {
            query?: {
                /** @description Maximum number, at most 20. */
                limit?: number;
            };
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Helpful"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_live: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LiveStatus"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    start_live: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartLive"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneLive"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    pause_live: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneLive"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    resume_live: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneLive"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rewind_live: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RewindLive"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneLive"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rename_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameTask"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    restore_task: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_task_revisions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskRevisions"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    roll_back: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rollback"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Switched"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskRollouts"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    start_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartRollout"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneRollout"];
                };
            };
            /** @description it is active, no version is active, or another one is being rolled out */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rollout_to_canary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneRollout"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    override_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OverrideRollout"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Switched"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    promote_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Switched"];
                };
            };
            /** @description the unmet conditions, or it is worse on the held-out examples */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rollout_report: {
        parameters: {
            query?: {
                /** @description Its number; the newest if absent. */
                number?: number;
            };
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutReport"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rollout_page: {
        parameters: {
            query?: {
                /** @description Its number; the newest if absent. */
                number?: number;
            };
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    stop_rollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StopRollout"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneRollout"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_suspects: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Suspects"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    save_task_as_template: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplateOfTask"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskTemplate"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_upstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UpstreamReport"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    set_upstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Upstream"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UpstreamReport"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_upstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UpstreamReport"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_templates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplateList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    save_template: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplateFile"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskTemplate"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_template: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    fill_template: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplateValues"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskTemplate"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    read_file: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The file. */
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileText"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    make_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeToken"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    make_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewLink"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeLink"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GoneToken"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrainingStatus"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    submit_job: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrainingSubmission"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubmittedJob"];
                };
            };
            /** @description `run`: the job of the task that is active */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_users: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    set_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneUser"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    remove_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneUser"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    list_versions: {
        parameters: {
            query?: {
                /** @description Only of this task. */
                task?: string;
                /** @description Maximum number, at most 500. */
                limit?: number;
                /** @description Number to skip at the start. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    show_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionDetail"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_version: {
        parameters: {
            query?: {
                /** @description Even if it is active. */
                force?: boolean;
            };
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneVersion"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    activate_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Activate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Switched"];
                };
            };
            /** @description another version is active than expected, or this one is worse */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    download_version: {
        parameters: {
            query?: never;
            header?: {
                "If-None-Match"?: string | null;
            };
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": unknown;
                };
            };
            /** @description the client has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    evaluate_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EvaluationBegun"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    version_results: {
        parameters: {
            query: {
                /** @description The form of the file. */
                format: components["schemas"]["ResultFormat"];
            };
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/jsonl": string;
                    "text/html": string;
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description it was not evaluated */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    set_stage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetStage"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneVersion"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    description: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": JsonObject;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    chat_completions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": JsonObject;
                    "text/event-stream": string;
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            default: components["responses"]["OpenAiError"];
        };
    };
    completions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CompletionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": JsonObject;
                    "text/event-stream": string;
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            default: components["responses"]["OpenAiError"];
        };
    };
    list_models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            default: components["responses"]["OpenAiError"];
        };
    };
    one_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `task`, `task:version`, or a base model */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneModel"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenAiError"];
                };
            };
            default: components["responses"]["OpenAiError"];
        };
    };
}
