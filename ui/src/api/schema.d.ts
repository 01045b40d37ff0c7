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
        /** Reads the Ask AI database again, if the configuration names it, and queues a training on what is approved. Its
         *     version becomes active, and `latest` in the folder of the settings, unless it is worse than the one before. If nothing
         *     changed since the last training, that one is returned with a `note`, and none is queued. A base model that is not here yet is
         *     downloaded in the background, and the 400 says so. */
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
        /** The Ask AI fallback: adds a suggestion of the adapter where the service's own are missing or weak. */
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
        /** Base models on this machine, and how downloads go. */
        get: operations["list_bases"];
        put?: never;
        /** Downloads a base model in the background, if it isn't here; what an earlier download left is continued. */
        post: operations["pull_base"];
        /** Forgets a base model, and deletes what Graft had downloaded for it and nothing else uses. */
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
        /** Asks a download to stop; what is here is kept, and the next download continues it. */
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
        /** What there is to know about a base model on this machine. */
        get: operations["show_base"];
        put?: never;
        post?: never;
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
        /** The audit trail, from a cursor on. */
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
        /** A dataset as it was saved, whatever happened to its examples since. */
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
        /** Examples that match, one page of them. */
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
        /** The same decision on many examples; what can't be decided is skipped, with the reason. */
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
        /** One example with baseline, suggestion, places in the text and history. */
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
        /** Says that an example's output, or the one given, is the truth. */
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
        /** Gives an example another output and approves it. */
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
        /** The tokens that an example becomes, and which of them are learned. */
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
        /** Says that an example must not be used. */
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
        /** Takes back the last decision of a person. */
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
        /** Uploads a source of examples; the reading goes on in the background. */
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
        /** How an import goes. */
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
        /** The machines there are. */
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
        /** Removes a machine on which no run is active; what Graft put there stays. */
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
        /** Connects to a machine from the server, and tells what it found there. */
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
        /** What may be rented now of a provider, which is asked. */
        get: operations["list_quotes"];
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
        /** Says which example a page has open, for 25 seconds; `/events` tells the others as `presence`. */
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
    "/api/v1/prompts/draft": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What whoever asks typed and has not submitted. */
        get: operations["show_draft"];
        /** Keeps what whoever asks types, on whichever machine they go on. */
        put: operations["save_draft"];
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
        /** The trainings and measurements of a task or of all, newest first. */
        get: operations["list_runs"];
        put?: never;
        /** Queues a training. */
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
        /** Stops, or begins anew, all runs that match; of those that would train the same task the newest goes first. */
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
        /** Runs side by side: where their settings differ, and their numbers. */
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
        /** Everything that is wrong with a training that could be queued, and what it would take. */
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
        /** A run with all that is known of it. */
        get: operations["show_run"];
        put?: never;
        post?: never;
        /** Deletes a run and its directory; versions made of it stay. */
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
        /** Asks a run to stop; what was learned until its last checkpoint is kept. */
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
        /** A part of what a run's trainer said, 256 KiB at most. */
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
        /** Queues a run that failed or was stopped again; it goes on from its last checkpoint. */
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
        /** Queues the same training once more, from the beginning. */
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
        /** An example of a training as it is learned in an epoch, with its tokens. */
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
        /** The schedules there are. */
        get: operations["list_schedules"];
        put?: never;
        /** Makes a schedule. */
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
        /** Who is asking, and whether one must log in. */
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
        /** Replaces the settings; `If-Match` refuses where somebody else changed them. */
        put: operations["replace_settings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes some of the settings; `If-Match` refuses where somebody else changed them. */
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
        /** What the machine costs, with its `ETag`. */
        get: operations["show_rent"];
        /** Replaces what the machine costs; `If-Match` refuses where somebody else changed it. */
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
        /** Says what would be wrong with settings. */
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
        /** What a task's approved examples add up to. */
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
        /** One line an item (or an example, for tasks without items), for a spreadsheet. */
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
        /** The studies there are. */
        get: operations["list_studies"];
        put?: never;
        /** Begins a study, which workers carry. A task has one at a time. */
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
        /** A study with its trials and what it found. */
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
        /** Ends a study; its trials so far are kept. */
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
        /** Queues a training with the best settings that a study found. */
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
        /** The machine, the queue, what answers, and the base models. */
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
        /** Replaces the tables; `If-Match` refuses where somebody else changed them. */
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
        /** Makes a task. */
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
        /** Makes a task from a file that was exported or written. */
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
        /** The tokens that an input and its answer become, and which of them are learned, for a task that need not be stored. */
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
        /** Makes a task with its first examples, which are in any form that people paste. */
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
        /** What a pasted text says: its examples, the form of its answers, and the evidence for each guess. Nothing is stored. */
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
        /** Replaces a task's definition; `If-Match` refuses where somebody else changed it. Tells what becomes of examples and
         *     versions. */
        put: operations["replace_task"];
        post?: never;
        /** Archives a task: it is not listed and not trained any more. Its examples and versions stay, and answer. */
        delete: operations["archive_task"];
        options?: never;
        head?: never;
        /** Changes some fields of a task's definition: a JSON merge patch (RFC 7396). `If-Match` as for `PUT`. */
        patch: operations["patch_task"];
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
    "/api/v1/tasks/{task}/clone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a task with the definition of another, without its examples and versions. */
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
        /** Registers a contestant, which answers without a language model, as a version with its numbers. It takes seconds. The
         *     same contestant of the same examples is registered once. */
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
        /** Whether a version still does what it did on the held-out examples, from what people say of its suggestions since. */
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
        /** Replaces a task's guidelines; `If-Match` refuses where somebody else changed them. */
        put: operations["replace_guidelines"];
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
        /** Begins to learn from approvals and edits as they come; workers train the snapshots. Sets other settings, too. */
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
        /** Keeps approvals, and learns from none. */
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
        /** Learns again, from the approvals that were kept, too. */
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
        /** Lets the next snapshot start from an earlier version; later snapshots are archived. */
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
        /** Gives a task another name, with its examples, datasets, runs, versions and schedules. Built-in tasks keep theirs. */
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
        /** Takes a task back that was archived. */
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
        /** Makes the version that was active before the active one again. */
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
        /** The roll-out of a task with all that decides about it, and those that ended. */
        get: operations["show_rollout"];
        put?: never;
        /** Begins a roll-out: the version answers beside the active one, and nobody sees it. */
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
        /** Lets the version answer its share of the requests. */
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
        /** Makes the version active whatever its policy says; the reason is kept in the audit trail. */
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
        /** Makes the version active, if all that its policy demands holds. */
        post: operations["promote_rollout"];
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
        /** Ends the roll-out; the version answers nothing any more. */
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
        /** Approved examples that contradict themselves, each other or a confident model, with what can be done about each.
         *     Nothing is changed: a fix is carried out by the decisions that it lists. */
        get: operations["list_suspects"];
        put?: never;
        post?: never;
        delete?: never;
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
        /** Ready-made tasks with a dozen examples each. */
        get: operations["list_templates"];
        put?: never;
        post?: never;
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
        /** The tokens there are, without their secrets. */
        get: operations["list_tokens"];
        put?: never;
        /** Makes a token; its secret is shown this once. With the first one everybody has to log in, so it must be an
         *     administrator's and not end, unless an administrator can log in otherwise (409). */
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
        /** Makes a review link: whoever opens it reviews the examples of one task, and reaches nothing else. */
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
        /** Ends a token; the last administrator's stays while others may log in (409). */
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
        /** How far a job is. */
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
        /** Takes in the tables of a dataset as approved examples, and queues a job that trains on them. The same dataset with the same
         *     content stands for the same job, unless that one failed. */
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
        /** People who may log in. */
        get: operations["list_users"];
        put?: never;
        /** Adds somebody, or gives them another role and password, which ends their sessions. Somebody must stay an
         *     administrator (409): with the first user everybody has to log in. */
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
        /** Removes somebody, and ends their sessions; the last administrator stays while others may log in (409). */
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
        /** A version with its numbers, lineage, and answers to held-out examples: where it does worst, and where it is right. */
        get: operations["show_version"];
        put?: never;
        post?: never;
        /** Takes a version out of the registry; its files stay. */
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
        /** Makes a version active, unless it is worse than the active one. A version that can't be loaded changes nothing. */
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
        /** The folder of a version as a zip file. Hugging Face's peft reads that of an adapter when it is unpacked. */
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
        /** Queues a run that measures a version on its held-out examples again. */
        post: operations["evaluate_version"];
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
        /** Whether the process lives. */
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
        /** Numbers for Prometheus, in its text format. */
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
        /** Whether requests can be answered: the database answers, and the server is not about to end. */
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
        /** A conversation goes on. With `stream`, chunks come as server-sent events, and `[DONE]` at the end. */
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
        /** A text goes on. With `stream`, chunks come as server-sent events, and `[DONE]` at the end. */
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
        /** Tasks with an active version, versions as `task:version`, and base models. */
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
        /** One of them by its name. */
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
            /** @description The active version as the client last saw it (null: none); absent, whichever it is. */
            expected?: string | null;
            /** @description Even if it is worse than the active one. */
            force?: boolean;
        };
        /** @description A contestant that is to become a version. */
        AddContestant: {
            /** @description What kind. */
            kind: components["schemas"]["ContestantKind"];
            /** @description The version whose examples it learns from; absent, those of the active one or of the newest. */
            like?: string | null;
        };
        /** @description An answer with everything that is known of it. */
        Answer: {
            /** @description The answer in the task's form, with what is computed from it. */
            answer: Json;
            /** @description Tokens of the answer. */
            answer_tokens: number;
            /**
             * Format: double
             * @description Probability that the whole answer is right, calibrated where the version was evaluated.
             */
            confidence: number;
            /** @description The same for each field, by path. */
            fields: {
                [key: string]: number;
            };
            /** @description Digest of base, adapter, prompt, calibration and version: exactly what answered. */
            generation: string;
            /** @description Tokens of the prompt. */
            prompt_tokens: number;
            /**
             * Format: double
             * @description Seconds from the request to the answer.
             */
            seconds: number;
            /** @description Where each grounded field's value stands in the input, in characters, by path. */
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
        /** @description The form of a task's answer. */
        AnswerForm: {
            /** @enum {string} */
            form: "text";
        } | {
            /** @enum {string} */
            form: "label";
            /** @description In a fixed order. */
            labels: string[];
        } | {
            /** @enum {string} */
            form: "json";
            /** @description JSON Schema (2020-12) of the answer as people see it. */
            schema: JsonObject;
        };
        /**
         * @description What an answer of a task is.
         * @enum {string}
         */
        AnswerKind: "labels" | "fields" | "text" | "dialogue";
        /** @description An answer, or why there is none. */
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
            /** @description The right output, where it is another than the stored one. */
            output?: Json;
            /**
             * Format: int32
             * @description The revision that the person saw.
             */
            revision: number;
            /**
             * Format: int64
             * @description The newest change of the example that the person saw; without it only the revision and a decision by
             *     somebody else are looked at.
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
        /** @description Something that waits for a person. */
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
        /** @description What answers a task without a model. */
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
             * @description Only with a suggestion for this field, at any depth; the confidences are about it, then.
             * @default null
             */
            field?: string | null;
            /**
             * Format: double
             * @description Only with a suggestion that is less sure than this.
             * @default null
             */
            max_confidence?: number | null;
            /**
             * Format: double
             * @description Only with a suggestion that is at least this sure.
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
        /** @description What a decision about many examples did. */
        BulkResult: {
            /**
             * Format: int64
             * @description Examples that changed.
             */
            changed: number;
            /** @description Those left as they were. */
            skipped: components["schemas"]["BulkSkipped"][];
        };
        /**
         * @description What is done to many runs at once.
         * @enum {string}
         */
        BulkRunAction: "cancel" | "retry";
        /** @description A run that is left as it is. */
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
            /** @description Changes nothing, and tells what would be changed. */
            dry_run?: boolean;
            kind?: components["schemas"]["RunKind"] | null;
            state?: components["schemas"]["RunState"] | null;
            /** @description Only of this task. */
            task?: string | null;
        };
        /** @description What became of many runs. */
        BulkRunsResult: {
            /** @description Those that were, or would be, stopped or queued again. */
            changed: string[];
            /** @description Those that are left as they are though the action fits their state. */
            skipped: components["schemas"]["BulkRunSkipped"][];
        };
        /** @description An example that a decision about many left as it was. */
        BulkSkipped: {
            /** @description The example. */
            id: string;
            /** @description Why. */
            why: string;
        };
        /** @description A map from raw to calibrated confidence, with what it was fitted on. */
        Calibration: {
            /** @description The same, calibrated by maps that were fitted on other answers (cross-validation). */
            after: components["schemas"]["Reliability"];
            /** @description Confidence and correctness of the held-out answers, as they were. */
            before: components["schemas"]["Reliability"];
            /** @description The map. */
            method: components["schemas"]["CalibrationMethod"];
        };
        /** @description The kinds of map; all rise with the raw confidence. */
        CalibrationMethod: {
            /** @enum {string} */
            method: "identity";
        } | {
            /**
             * Format: double
             * @description Above 0 for a model that is not sure enough.
             */
            bias: number;
            /** @enum {string} */
            method: "platt";
            /**
             * Format: double
             * @description At least 0; below 1 for a model that is too sure.
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
        /** @description One line of the audit trail, which is only ever added to. */
        Change: {
            /** @description What was done. */
            action: components["schemas"]["ChangeAction"];
            /** @description The same fields as they are now. */
            after?: JsonObject | null;
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description The fields that changed, as they were. */
            before?: JsonObject | null;
            /** @description Who. */
            by: string;
            /** @description To what kind of thing. */
            kind: components["schemas"]["ChangeKind"];
            /**
             * Format: int64
             * @description Counts all changes without a gap, from 1.
             */
            seq: number;
            /** @description Its id or name. */
            subject: string;
            /** @description Its task; empty for settings and bases. */
            task: string;
        };
        /**
         * @description What was done.
         * @enum {string}
         */
        ChangeAction: "import" | "approve" | "reject" | "edit" | "reopen" | "undo" | "add" | "state" | "activate" | "rollback" | "set" | "delete";
        /**
         * @description What was changed.
         * @enum {string}
         */
        ChangeKind: "example" | "dataset" | "run" | "version" | "setting" | "base" | "schedule" | "study" | "user" | "token" | "import" | "machine" | "task";
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
        /** @description A conversation to go on with. What is asked for and not done here is refused by its name. */
        ChatRequest: components["schemas"]["Common"] & {
            /** @description Whether each token's probability is told. */
            logprobs?: boolean | null;
            /** @description Newer name of `max_tokens`. */
            max_completion_tokens?: number | null;
            /** @description The conversation; tasks take one message of the user. */
            messages: components["schemas"]["Message"][];
            /** @description `task`, `task:version`, or a base model. */
            model: string;
            response_format?: components["schemas"]["ResponseFormat"] | null;
            /** @description So many likelier tokens for each, 20 at most. */
            top_logprobs?: number | null;
        };
        /** @description How many runs are gone. */
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
            /** @description Most tokens of the answer. */
            max_tokens?: number | null;
            /** @description Answers; only 1. */
            n?: number | null;
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
             * @description 0 takes the likeliest token each time.
             */
            temperature?: number | null;
            /**
             * Format: float
             * @description Among the likeliest tokens that together have this probability.
             */
            top_p?: number | null;
        };
        /** @description Who answers beside whom. */
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
        /** @description A text to go on with. */
        CompletionRequest: components["schemas"]["Common"] & {
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
            /** @description What it answered, with what is computed from it. */
            answer: Json;
            /**
             * Format: double
             * @description How sure it is; the baseline doesn't say, and a contestant that is no version is not calibrated.
             */
            confidence: number | null;
            /** @description The same for each field. */
            fields: {
                [key: string]: number;
            } | null;
            /** @description Digest of everything that decided it; only versions and the base model have one. */
            generation: string | null;
            /** @description `baseline`, `base`, a version's name, or a contestant's kind (`rules`, `n-grams`, `nearest`, `most-frequent`). */
            name: string;
            /**
             * Format: double
             * @description Seconds it took, with the others beside it.
             */
            seconds: number;
        };
        /**
         * @description The kinds of contestants. Of equally good ones the earlier wins.
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
             * @description Seconds that it took to fit it.
             */
            seconds_to_fit: number;
        };
        /** @description How many examples of a task are in which state. */
        Counts: {
            /**
             * Format: int64
             * @description Usable.
             */
            approved: number;
            /**
             * Format: int64
             * @description Not looked at yet.
             */
            pending: number;
            /**
             * Format: int64
             * @description Not to be used.
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
            /** @description Approved, but left out because a near-duplicate is held out. */
            leaking: string[];
            /** @description Its task. */
            task: string;
            /** @description Learned from. */
            train: components["schemas"]["Example"][];
        };
        /** @description One line of the list of datasets. */
        DatasetHead: {
            /** @description When it was first kept. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who asked for it. */
            created_by: string;
            /** @description Names its content. */
            digest: components["schemas"]["Digest"];
            /**
             * Format: int64
             * @description Examples held out.
             */
            eval: number;
            /** @description Name of the task. */
            task: string;
            /**
             * Format: int64
             * @description Examples learned from.
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
        /** @description How many runs are gone. */
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
        /** @description A SHA-256 digest, written as 64 lowercase hexadecimal characters. */
        Digest: string;
        /** @description How far two samples' distributions are apart, and how often two samples of one distribution would be. */
        Distance: {
            /**
             * Format: double
             * @description The largest difference of the shares at or below any value, from 0 to 1.
             */
            distance: number;
            /**
             * Format: double
             * @description Probability of at least this distance where nothing has changed.
             */
            p: number;
        };
        /** @description What one parameter may be. */
        Domain: {
            /**
             * Format: double
             * @description The most.
             */
            high: number;
            /** @enum {string} */
            kind: "real";
            /** @description By orders of magnitude. */
            log: boolean;
            /**
             * Format: double
             * @description The least.
             */
            low: number;
        } | {
            /** @enum {string} */
            kind: "choice";
            /** @description As they are written. */
            of: string[];
        };
        /** @description How a version does now, against its own numbers on the held-out examples. */
        Drift: {
            /** @description Whether it is as sure as it was. */
            confidence: components["schemas"]["Shift"];
            /** @description Whether inputs are as long as those it learned from. */
            inputs: components["schemas"]["Shift"];
            measured_at?: components["schemas"]["Timestamp"] | null;
            /** @description Whether people change its suggestions more often than it was wrong. */
            overrides: components["schemas"]["Overrides"];
            /** @description `drifting` where any signal is; `stable` only where all are. */
            state: components["schemas"]["DriftState"];
            /** @description The task. */
            task: string;
            /** @description The version; absent where none is active. */
            version?: string | null;
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
            /** @description How many examples could go without a loss: all but one of each group. */
            extra: number;
            /** @description Those of a group are near-duplicates of each other, and stay on one side of every split. */
            groups: components["schemas"]["DuplicateExample"][][];
        };
        /** @description Gives an example another output. */
        Edit: {
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
         * @description How long a training goes on, measured by the recipe.
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
            /** @description Makes confidences mean what they say; with its reliability before and after. */
            calibration: components["schemas"]["Calibration"];
            /** @description How sure the adapter is of each held-out answer, calibrated; 0 where there was no valid one. Absent where it was
             *     measured before these were kept. */
            confidences?: number[] | null;
            /** @description What answers without a language model, fitted to the same examples. Empty where it was measured before these were. */
            contestants: components["schemas"]["ContestantScores"][];
            /** @description The dataset whose held-out side was answered. */
            dataset: components["schemas"]["Digest"];
            /** @description The same for each field, by its path without list positions. */
            fields: {
                [key: string]: components["schemas"]["Calibration"];
            };
            /** @description Held-out answers that people approved as the task's parser proposed them. They flatter the contestant `rules`. */
            from_parser: number;
            /** @description Answers that were all right, from all over the held-out examples. */
            right: components["schemas"]["KeptAnswer"][];
            /**
             * Format: double
             * @description Seconds that one answer of the adapter took.
             */
            seconds_per_answer: number;
            /** @description What the adapter answered where it did worst, worst first. */
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
        /** @description One line of a run's `events.jsonl`: the only channel between doing and showing. */
        Event: components["schemas"]["EventKind"] & {
            /** @description When it was written. */
            at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description Counts from 1 within a run, without gaps.
             */
            seq: number;
        };
        /** @description What can happen in a run. */
        EventKind: {
            /** @enum {string} */
            event: "phase";
            /** @description Which. */
            phase: components["schemas"]["Phase"];
        } | {
            /** @description Held-out examples. */
            eval: number;
            /** @enum {string} */
            event: "prepared";
            /**
             * Format: int64
             * @description Predicted peak memory in bytes.
             */
            memory: number;
            /**
             * Format: int64
             * @description Optimiser steps the whole run will take.
             */
            steps: number;
            /** @description Of these, tokens that carry loss. */
            supervised: number;
            /** @description Tokens an epoch computes. */
            tokens: number;
            /** @description Examples left out because their prompt and answer exceed the maximum length. */
            too_long: number;
            /** @description Training examples used. */
            train: number;
        } | {
            /**
             * Format: double
             * @description Seconds left at the present pace.
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
             * @description Bytes of memory that the trainer holds after this step; absent where the system doesn't tell.
             */
            memory?: number | null;
            /**
             * Format: int64
             * @description Steps in all.
             */
            of: number;
            /**
             * Format: int64
             * @description Counts from 1.
             */
            step: number;
            /**
             * Format: double
             * @description Prompt and answer tokens a second, counted as a user would (shared prefixes count for each example).
             */
            tokens_per_s?: number | null;
        } | {
            /** @description Whether it is the best so far. */
            best: boolean;
            /** @enum {string} */
            event: "eval";
            /**
             * Format: double
             * @description Mean loss per supervised token on the held-out examples.
             */
            loss?: number | null;
            /**
             * Format: double
             * @description How long measuring took; absent in events of earlier versions.
             */
            seconds?: number | null;
            /**
             * Format: int64
             * @description After this many steps.
             */
            step: number;
        } | {
            /** @description How many were until now, of adapter and base together. */
            done: number;
            /** @enum {string} */
            event: "answered";
            /** @description How many there are in all. */
            of: number;
        } | {
            /** @enum {string} */
            event: "checkpoint";
            /**
             * Format: int64
             * @description After this many steps.
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
            /** @description Whole sentence. */
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
             * @description Steps taken.
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
        /** @description An input with its output, where it came from, and what people said of it. */
        Example: {
            /** @description Unique within the task. */
            id: string;
            /** @description The text the model will see. */
            input: string;
            /** @description The wanted answer: a string for text and label tasks, an object for extraction; `None` until someone gives one. */
            output?: Json;
            /** @description What people decided. */
            review: components["schemas"]["Review"];
            /**
             * Format: int32
             * @description Counts edits, from 1.
             */
            revision: number;
            /** @description Where it came from. */
            source: components["schemas"]["Source"];
            /** @description Name of the task it belongs to. */
            task: string;
        };
        /** @description One example with all that helps to judge it. */
        ExampleDetail: {
            /** @description What the task's baseline answers, if Audit proposes it. */
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
         * @description What kind of failure it was.
         * @enum {string}
         */
        FailureClass: "lost" | "network" | "settings" | "bad-data" | "model" | "out-of-memory" | "diverged" | "disk" | "cancelled" | "internal";
        /**
         * @description What became of a question.
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
        /** @description A token that is gone. */
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
        /** @description The process lives. */
        Health: {
            /** @description `ok`. */
            status: string;
            /** @description Version of Graft. */
            version: string;
        };
        /** @description What would make the examples better. */
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
        HintKind: "contradiction" | "spelling" | "one-label" | "unanswered" | "few" | "rare" | "unbalanced" | "duplicate" | "short" | "long";
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
            /** @description It goes on in the background; ask for it by its id. */
            import: components["schemas"]["Import"];
        };
        /** @description What an import did. */
        ImportChanges: {
            /**
             * Format: int64
             * @description New examples.
             */
            added: number;
            /**
             * Format: int64
             * @description Examples where the import differs from what a person decided, which stays.
             */
            kept: number;
            /**
             * Format: int64
             * @description Examples about which the import says nothing new.
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
         * @description Where an import is.
         * @enum {string}
         */
        ImportState: "running" | "done" | "failed";
        /** @description How much a setting matters. */
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
             * @description Give up after so many milliseconds.
             */
            deadline_ms?: number | null;
            /** @description The input. */
            input: string;
            /** @description Most tokens of the answer. */
            max_tokens?: number | null;
            /** @description Whom or what it is about, such as a customer's number: while a version is rolled out, all requests of one subject are
             *     answered by the same version. Otherwise each input is a subject. */
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
            /** @description Most tokens of one answer. */
            max_tokens?: number | null;
            /** @description The task. */
            task: string;
            /** @description The version; the active one where it is absent. */
            version?: string | null;
        };
        /** @description Where a value stands in its input, in characters (Unicode scalar values). */
        InputSpan: {
            /** @description One past the last character. */
            end: number;
            /** @description The first character. */
            start: number;
        };
        /**
         * @description A system that Graft works with beyond files; one task of a home at most belongs to each.
         * @enum {string}
         */
        Integration: "slack" | "ask-ai";
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
        /**
         * @description How a text says its examples.
         * @enum {string}
         */
        Layout: "label-lines" | "blocks" | "dialogue" | "table" | "json" | "text-and-json" | "answers" | "schema" | "lines";
        /**
         * @description Learning-rate schedule after warm-up.
         * @enum {string}
         */
        LearningRateSchedule: "cosine" | "linear" | "constant";
        /** @description A run that a process holds. */
        LeaseView: {
            /**
             * Format: int64
             * @description Milliseconds until others may take it, unless the process renews its right to it.
             */
            left_ms: number;
            /** @description The process. */
            owner: string;
            /** @description The run. */
            run: string;
            /** @description Its task. */
            task: string;
        };
        /** @description A line that should be an example and is none. */
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
        };
        /** @description A run in a list. */
        ListedRun: components["schemas"]["Run"] & {
            /** @description What of its directory can't be read. */
            damage?: string | null;
            progress?: components["schemas"]["Progress"] | null;
            /** @description The version that was made of it, or that it measures. */
            version?: string | null;
        };
        /** @description An adapter that keeps learning. */
        LiveAdapter: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who began it. */
            created_by: string;
            /**
             * Format: int64
             * @description The last line of the audit trail that was taken in.
             */
            cursor: number;
            /** @description The dataset whose held-out examples tell what is forgotten. */
            frozen: components["schemas"]["Digest"];
            /** @description The version that the next snapshot starts from. */
            head: string;
            /** @description Why it paused by itself. */
            note?: string | null;
            /** @description How. */
            settings: components["schemas"]["LiveSettings"];
            /** @description Whether it learns. */
            state: components["schemas"]["LiveState"];
            /** @description Its task. */
            task: string;
            /** @description When it was changed last. */
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description How a live adapter learns. */
        LiveSettings: {
            /**
             * @description Examples of one step, older ones among them.
             * @default 32
             */
            batch?: number;
            /**
             * Format: double
             * @description Points (of 1) that may be lost on the frozen examples.
             * @default 0.02
             */
            forgetting?: number;
            /**
             * Format: int64
             * @description Snapshots that are kept, beside those in use.
             * @default 20
             */
            keep?: number;
            /**
             * Format: int64
             * @description Days that snapshots are kept.
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
             * @description Minutes after which a snapshot is made of fewer windows.
             * @default 60
             */
            minutes?: number;
            /**
             * @description Begin a roll-out of a snapshot, if none of the task runs.
             * @default true
             */
            rollout?: boolean;
            /**
             * Format: int64
             * @description Windows of one snapshot.
             * @default 1000
             */
            windows?: number;
        };
        /** @description A snapshot of a live adapter. */
        LiveSnapshot: {
            /**
             * Format: double
             * @description How right it is.
             */
            after?: number | null;
            /**
             * Format: double
             * @description How right its parent was on the frozen examples, from 0 to 1.
             */
            before?: number | null;
            /**
             * Format: int64
             * @description Bytes of its files.
             */
            bytes?: number | null;
            /** @description When its windows were chosen. */
            created_at: components["schemas"]["Timestamp"];
            /**
             * Format: int64
             * @description The first of its windows.
             */
            first: number;
            /**
             * Format: int64
             * @description The last.
             */
            last: number;
            /** @description The version that it started from. */
            parent: string;
            /** @description The run that trains it. */
            run?: string | null;
            /**
             * Format: int64
             * @description Counts from 1.
             */
            seq: number;
            /** @description What became of it. */
            state: components["schemas"]["SnapshotState"];
            /** @description Its task. */
            task: string;
            /** @description Its version. */
            version?: string | null;
            /** @description Why it was not accepted. */
            why?: string | null;
        };
        /**
         * @description Whether a live adapter learns.
         * @enum {string}
         */
        LiveState: "running" | "paused";
        /** @description A live adapter with all that is known of it. */
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
         * @description One of the two logs of a trainer.
         * @enum {string}
         */
        LogStream: "stdout" | "stderr";
        /** @description A part of a log. */
        LogText: {
            /**
             * Format: int64
             * @description The offset to go on from.
             */
            next: number;
            /**
             * Format: int64
             * @description Bytes the log has now.
             */
            size: number;
            /** @description Whole characters from the offset on. */
            text: string;
        };
        /** @description What somebody logs in with: `user` and `password`, or `token` (one of `/tokens`, or that of the first start). */
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
        /** @description A machine on which runs can execute beside the worker's own. */
        Machine: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who added it. */
            created_by: string;
            /** @description Where it is, as `ssh` takes it. */
            destination: string;
            /** @description Its name. */
            name: string;
            /** @description Path of the `graft` program for it on the worker's machine; the worker's own without one. */
            program?: string | null;
            /**
             * Format: int32
             * @description Runs that it may have at once.
             */
            slots: number;
        };
        /** @description What was found out about a machine. */
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
            /** @description What the program says of itself; absent while it isn't there. */
            program?: string | null;
            /** @description System and architecture, such as `Linux x86_64`. */
            system: string;
        };
        /** @description The machines there are. */
        MachineList: {
            /** @description By name. */
            machines: components["schemas"]["Machine"][];
            /** @description Where machines can be rented: their names are given as `on`, too. */
            providers: components["schemas"]["ProviderView"][];
            /** @description Machines that are rented now. */
            rentals: components["schemas"]["RentalView"][];
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
        };
        /** @description A review link that was made. */
        MadeLink: {
            /** @description The address below the server's own; it is shown this once. */
            path: string;
            /** @description What is known of its token; removing that ends the link. */
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
        /** @description A token that was made. */
        MadeToken: {
            /** @description The token; it is shown this once. */
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
        /** @description What somebody said. */
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
        /** @description The models there are. */
        ModelList: {
            /** @description Tasks, their versions, base models. */
            data: components["schemas"]["OneModel"][];
            /** @description `list`. */
            object: string;
        };
        /** @description A JSON Schema; its name is not looked at. */
        NamedSchema: {
            /** @description The schema. */
            schema: JsonObject;
        };
        /** @description Guidelines in people's own words. */
        NewGuidelines: {
            /** @description Paragraphs, and lines that begin with `- `; blank for those that the task comes with. 20000 characters at most. */
            text: string;
        };
        /** @description A review link to be made. */
        NewLink: {
            /**
             * Format: int32
             * @description Days until it ends; 14 otherwise.
             */
            days?: number | null;
            /** @description Whom it is for; their decisions are recorded under this name. */
            person: string;
            /** @description The task whose examples they review. */
            task: string;
        };
        /** @description A machine to be added. */
        NewMachine: {
            /** @description Where it is, as the worker's `ssh` takes it: a name of its configuration, `user@host`, or `ssh://user@host:port`. */
            destination: string;
            /** @description Its name, which runs give as `on`. */
            name: string;
            /**
             * Format: int32
             * @description Runs that it may have at once; 1 otherwise.
             */
            slots?: number;
        };
        /** @description A training that somebody wants; what isn't said comes from Graft's recipe for the task. */
        NewRun: {
            /** @description Make its version active, if it is not worse than the active one. */
            activate?: boolean;
            /** @description The run that must succeed first. */
            after?: string | null;
            /** @description Base model: a name, a Hub id or a path; `smollm2-135m` otherwise. */
            base?: string;
            /** @description Measure what answers without a language model before the training, so that it is known what there is to beat. */
            baseline?: boolean;
            /** @description How long it goes on, measured by the recipe; `recommended` otherwise, and epochs among the settings win. */
            effort?: components["schemas"]["EffortName"];
            /**
             * Format: double
             * @description Share of the examples that is held out; 0.2 otherwise.
             */
            eval_share?: number | null;
            /** @description Score the version on the held-out examples; yes otherwise. */
            evaluate?: boolean;
            /** @description The version whose weights it starts from. It learns what is new since then, with some of the older examples, and takes
             *     the version's base model, kind and shape of adapter. A new adapter learns all examples otherwise. */
            init_from?: string | null;
            /** @description Kind of adapter; LoRA otherwise. */
            method?: components["schemas"]["MethodName"];
            /** @description The machine that it executes on, one of `graft machines list`; the worker's own otherwise. */
            on?: string | null;
            /** @description How soon it gets its turn; `normal` otherwise. */
            priority?: components["schemas"]["PriorityName"];
            /** @description Score the bare base model as well, which takes as long again. */
            score_base?: boolean;
            /** @description Settings that differ from the recipe; the names are those of the flags of `graft train`. */
            settings?: components["schemas"]["RunSettings"];
            split?: components["schemas"]["SplitName"] | null;
            /** @description The task. */
            task: string;
            /** @description Whether trackers, such as MLflow, are told of it; they are where there are some otherwise. */
            track?: boolean | null;
            /** @description Name of its version; the next number otherwise. */
            version?: string | null;
        };
        /** @description A schedule to be made. */
        NewSchedule: {
            /** @description When: minute, hour, day of month, month, day of week; `0 3 * * *` is three o'clock each night. */
            cron: string;
            /** @description Names it; the task's name otherwise. */
            id?: string | null;
            /**
             * Format: int64
             * @description Only with at least this many approved examples more than the last time.
             */
            min_new?: number;
            /** @description What is queued, as the body of `POST /runs`. */
            request: components["schemas"]["NewRun"];
            /** @description The time zone it is read in, such as `Europe/Berlin`; the machine's otherwise. */
            zone?: string | null;
        };
        /** @description A study that somebody wants. */
        NewStudy: {
            /** @description Base model; `smollm2-135m` otherwise. */
            base?: string | null;
            /** @description `20-trials`, `60m` or `2h`. */
            budget: string;
            method?: components["schemas"]["MethodName"] | null;
            /**
             * Format: int64
             * @description Trials at a time; 1 otherwise. More of them choose from fewer results.
             */
            parallel?: number | null;
            /** @description Settings of all trials, which are not searched for; the `seed` is the study's, too. */
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
        /** @description A token to be made. */
        NewToken: {
            /**
             * Format: int32
             * @description Days until it ends; it doesn't otherwise.
             */
            days?: number | null;
            /** @description What it is for. */
            label: string;
            /** @description What its bearer may do. */
            role: components["schemas"]["Role"];
        };
        /** @description Somebody who shall be able to log in, or gets another role or password. */
        NewUser: {
            /** @description 1 to 100 letters, digits, dots, dashes or underscores. */
            name: string;
            /**
             * Format: password
             * @description 10 characters at least.
             */
            password: string;
            /** @description What they may do. */
            role: components["schemas"]["Role"];
        };
        /** @description What can be rented now. */
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
        /** @description A download that was begun or asked to stop. */
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
        /** @description Why the policy of a roll-out does not hold. */
        OverrideRollout: {
            /** @description For the audit trail. */
            why: string;
        };
        /** @description How often people change a version's suggestions. */
        Overrides: {
            differing?: components["schemas"]["Spread"] | null;
            /**
             * Format: double
             * @description The share of changes that its confidences promised for the same suggestions.
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
        /** @description Who does better on how many held-out examples, by the headline metric's share of each. */
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
             * @description The value that the search is to beat.
             */
            default: number;
            /** @description What it may be. */
            domain: components["schemas"]["Domain"];
            /** @description Its name. */
            name: string;
            /** @description It applies only while another parameter, which comes before it, has this value. */
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
            /** @description The text: lines of `"text" -> label`, blocks of `Task:`, `Input:` and `Expected:`, turns of a dialogue, CSV, JSON,
             *     a JSON Schema, or answers alone. */
            text: string;
        };
        /**
         * @description The phases of a run.
         * @enum {string}
         */
        Phase: "prepare" | "search" | "train" | "evaluate";
        /** @description An example that somebody has open. */
        Place: {
            /** @description Its id. */
            id: string;
            /** @description Its task. */
            task: string;
        };
        /** @description What was found out about a request. */
        Preflight: {
            /** @description The command that does the same in the foreground. */
            command: string;
            decoder_only?: components["schemas"]["Estimate"] | null;
            efforts?: components["schemas"]["EffortEpochs"] | null;
            estimate?: components["schemas"]["Estimate"] | null;
            /** @description Whether nothing is in the way. */
            ok: boolean;
            /** @description All that is, and warnings. */
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
        /** @description One thing in the way of a run. */
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
         * @description How soon a queued run gets its turn; within one, the oldest comes first.
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
         * @description How the products of a training round their inputs. Their sums, and everything else, are f32.
         * @enum {string}
         */
        ProductPrecision: "auto" | "f32" | "bf16";
        /** @description How far a run is, from its events. */
        Progress: {
            baseline?: components["schemas"]["RunBaseline"] | null;
            /**
             * Format: double
             * @description Seconds left at the present pace.
             */
            eta_s?: number | null;
            /**
             * Format: double
             * @description Loss of the last step.
             */
            loss?: number | null;
            /**
             * Format: int64
             * @description Optimiser steps in all, or held-out examples; 0 while unknown.
             */
            of: number;
            /**
             * Format: double
             * @description From 0 to 100.
             */
            percent: number;
            /** @description What it does: `prepare`, `search`, `train` or `evaluate`. */
            phase?: string | null;
            /**
             * Format: int64
             * @description The last event taken in: a cursor.
             */
            seq: number;
            /**
             * Format: int64
             * @description Optimiser steps taken, or held-out examples answered.
             */
            step: number;
            /**
             * Format: double
             * @description Prompt and answer tokens a second.
             */
            tokens_per_s?: number | null;
        };
        /** @description A text that was submitted to be trained on. */
        Prompt: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who submitted it. */
            created_by: string;
            /** @description Name of its dataset: `prompt_<id>_<model type>`. */
            dataset: string;
            /** @description What it is, for people. */
            description: string;
            /**
             * Format: int64
             * @description Examples of it.
             */
            examples: number;
            /**
             * Format: int64
             * @description Counts from 1.
             */
            id: number;
            /** @description What was asked for. */
            model_type: string;
            /** @description Why none was. */
            note?: string | null;
            /**
             * Format: int64
             * @description Of these, such that people had to decide on them.
             */
            pending: number;
            /** @description The run that was queued. */
            run?: string | null;
            /** @description The task that its examples belong to. */
            task: string;
            /** @description As it was submitted. */
            text: string;
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
        /** @description What a prompt would be. */
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
        /** @description A text to be trained on, with how. */
        PromptRequest: {
            /** @description Make the run's version active, if it is not worse than the active one. */
            activate?: boolean;
            /** @description Base model of the run; `smollm2-135m` otherwise. */
            base?: string | null;
            /** @description What it is, for people; the beginning of the text otherwise. */
            description?: string | null;
            /** @description How long the run goes on; `recommended` otherwise. */
            effort?: components["schemas"]["EffortName"];
            /** @description `text_classification`, `sentiment_analysis`, `instruction_following`, `general_chat`, or the name of a task. */
            model_type: string;
            /** @description Leave every example for people to decide on; nothing is trained, then. */
            pending?: boolean;
            /** @description How soon its run gets its turn; `normal` otherwise. */
            priority?: components["schemas"]["PriorityName"];
            /** @description The text: examples in any form that people paste, at least 10 characters. */
            text: string;
            /** @description Whether trackers, such as MLflow, are told of the run; they are where there are some otherwise. */
            track?: boolean | null;
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
        /** @description How a download goes, or how it ended. */
        PullView: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Who asked for it. */
            by: string;
            /**
             * Format: int64
             * @description Bytes of it that are here.
             */
            done_bytes: number;
            /** @description The file that is being downloaded. */
            file?: string | null;
            problem?: components["schemas"]["Problem"] | null;
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
        /** @description What a provider could be asked for now. */
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
        /** @description Rejects an example. */
        Reject: {
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
            /** @description Up to ten bins of about equally many answers, from the least sure up; equal confidences share one. */
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
             * @description Share of correct answers.
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
        /** @description A task's new name. */
        RenameTask: {
            /** @description The new name. */
            name: string;
        };
        /** @description What the machine that trains costs; nothing where it is one's own. */
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
            /** @description The machine's address, once it is known. */
            address?: string | null;
            /**
             * Format: int32
             * @description Price of an hour in cents of a US dollar.
             */
            cents_per_hour: number;
            ended_at?: components["schemas"]["Timestamp"] | null;
            /** @description The provider's id of the machine, once it is known. */
            instance?: string | null;
            /** @description When it was written down, a moment before the launch. Its cost counts from here. */
            intended_at: components["schemas"]["Timestamp"];
            /** @description The provider's name of the machine's type. */
            kind: string;
            leaving_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description What it can cost at most, in cents.
             */
            most_cents: number;
            /** @description The name of the machine, by which it is found again; no two rentals have the same. */
            name: string;
            /** @description The provider's name, such as `lambda`. */
            provider: string;
            /** @description Where it is. */
            region: string;
            /** @description The run that it is for. */
            run: string;
            /** @description Where it is in its life. */
            state: components["schemas"]["RentalState"];
        };
        /**
         * @description Where a rental is in its life.
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
        /** @description The state of an example's audit. Only approved examples train. */
        Review: {
            /** @enum {string} */
            state: "pending";
        } | {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Who said so. */
            by: string;
            /** @enum {string} */
            state: "approved";
        } | {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Who said so. */
            by: string;
            /** @description Why. */
            reason: string;
            /** @enum {string} */
            state: "rejected";
        };
        /**
         * @description Which states of audit are wanted.
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
         * @description What somebody may do; each may do what those before it may.
         * @enum {string}
         */
        Role: "viewer" | "auditor" | "trainer" | "admin";
        /** @description Which version is believed to be active. */
        Rollback: {
            /** @description The active version as the client last saw it; absent, whichever it is. */
            expected?: string | null;
        };
        /** @description A version on its way to become the active one. */
        Rollout: {
            /** @description The version that was active when it began, which it is compared with. */
            against: string;
            /** @description Who began it. */
            created_by: string;
            /**
             * Format: int64
             * @description Inputs that were answered by one version only: too many came at once, or in all.
             */
            dropped: number;
            ended_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description Answers that the version failed to give.
             */
            failures: number;
            /**
             * Format: int64
             * @description Counts from 1.
             */
            id: number;
            /** @description What it is decided by. */
            policy: components["schemas"]["RolloutPolicy"];
            /** @description When it came to its present state. */
            stage_at: components["schemas"]["Timestamp"];
            /** @description When it began. */
            started_at: components["schemas"]["Timestamp"];
            /** @description How far it has come. */
            state: components["schemas"]["RolloutState"];
            /** @description Name of the task. */
            task: string;
            /** @description The version. */
            version: string;
            /** @description Why it ended, or was moved against its policy. */
            why?: string | null;
        };
        /** @description Counts of a roll-out's answers. */
        RolloutCounts: {
            /**
             * Format: double
             * @description How much of both answers is the same, from 0 to 1, on average.
             */
            agreement?: number | null;
            /**
             * Format: int64
             * @description Of these, such that the candidate's answer was given.
             */
            canary: number;
            /**
             * Format: int64
             * @description Inputs that both versions answered.
             */
            pairs: number;
        };
        /** @description How wrong both versions were lately: 1 is all wrong. */
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
             * @description The 95th percentile from which the version is taken back.
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
        /** @description One thing that must hold before a version may become active. */
        RolloutGate: {
            /** @description What was found, in a sentence. */
            found: string;
            /** @description What it is. */
            name: string;
            /** @description Whether it holds. */
            passed: boolean;
        };
        /** @description How right both versions were, by what people decided later. */
        RolloutOutcomes: {
            /**
             * Format: double
             * @description How right the active version was, from 0 to 1, on average.
             */
            active?: number | null;
            /**
             * Format: double
             * @description How right the version was.
             */
            candidate?: number | null;
            /** @description Inputs that people decided on. */
            decided: number;
            /** @description Whether that has ever been enough. */
            is_not_worse: boolean;
            /** @description Whether that has ever been enough. */
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
        /** @description What a roll-out is decided by. */
        RolloutPolicy: {
            /**
             * @description Clients whose requests a canary answers in any case.
             * @default []
             */
            clients?: string[];
            /**
             * Format: double
             * @description The 95th percentile of its errors from which the version is taken back.
             * @default 0.2
             */
            drift_at?: number;
            /**
             * Format: int64
             * @description Minutes of decisions that are looked at, and longer where these are fewer than needed.
             * @default 60
             */
            drift_minutes?: number;
            /**
             * @description Decisions that this needs.
             * @default 1000
             */
            drift_samples?: number;
            /**
             * Format: double
             * @description Probability of each wrong decision by live outcomes, at most.
             * @default 0.05
             */
            error_rate?: number;
            /**
             * Format: double
             * @description Points (of 1) by which the version may be worse than the active one and still counts as not worse.
             * @default 0.02
             */
            margin?: number;
            /**
             * Format: int64
             * @description Hours that a version answers beside the active one before it may become active.
             * @default 336
             */
            shadow_hours?: number;
            /**
             * Format: double
             * @description Share of the requests that a canary answers, chosen by a hash of the subject.
             * @default 0.1
             */
            share?: number;
        };
        /** @description A roll-out with all that decides about it. */
        RolloutReport: {
            /** @description What both versions answered. */
            counts: components["schemas"]["RolloutCounts"];
            /** @description The newest errors of both. */
            errors: components["schemas"]["RolloutErrors"];
            /** @description What must hold before the version may become active, in order. */
            gates: components["schemas"]["RolloutGate"][];
            /** @description What to do next, in a sentence. */
            next: string;
            /** @description How right both were, where people decided. */
            outcomes: components["schemas"]["RolloutOutcomes"];
            /** @description Whether all of it does. */
            ready: boolean;
            /** @description The roll-out. */
            rollout: components["schemas"]["Rollout"];
        };
        /**
         * @description How far a roll-out has come.
         * @enum {string}
         */
        RolloutState: "shadow" | "canary" | "promoted" | "stopped" | "returned";
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
        /** @description One training or measurement, from what was asked for to its result. */
        Run: {
            /** @description Whether its version is to become active, if it is not worse. */
            activate: boolean;
            /** @description The run that must succeed first. */
            after?: string | null;
            /**
             * Format: int32
             * @description Trainers that were started for it.
             */
            attempts: number;
            /** @description Name of the base model. */
            base: string;
            /** @description When it was asked for. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who asked for it. */
            created_by: string;
            /** @description Digest of the dataset. */
            dataset: components["schemas"]["Digest"];
            /** @description Its directory, relative to `GRAFT_HOME` or absolute. */
            dir: string;
            /** @description Why it failed; shown as a text, in full. */
            error?: string | null;
            /**
             * Format: int64
             * @description Examples held out.
             */
            eval_samples?: number | null;
            /**
             * Format: int32
             * @description Exit code of the trainer.
             */
            exit_code?: number | null;
            /**
             * Format: int64
             * @description Grows each time it changes hands; whoever holds an older one may not write any more.
             */
            fence: number;
            /**
             * Format: double
             * @description Loss of the result on the held-out examples, or of the last step without any.
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
             * @description Trainers that may be started before it counts as poisoned.
             */
            max_attempts: number;
            /** @description `lora` or `soft-prompt`. */
            method: string;
            not_before?: components["schemas"]["Timestamp"] | null;
            /** @description The machine that it executes on; the worker's own without one. */
            on?: string | null;
            /** @description What it does now: `prepare`, `search`, `train` or `evaluate`. */
            phase?: string | null;
            /**
             * Format: int32
             * @description Process id of the trainer, while and after it ran.
             */
            pid?: number | null;
            /** @description How soon it gets its turn. */
            priority: components["schemas"]["PriorityName"];
            /** @description What was asked for; absent for a run that was found in its directory only. */
            request?: JsonObject | null;
            /**
             * Format: int64
             * @description Counts runs, from 1.
             */
            seq: number;
            /** @description The training spec as it was given; of a measurement, what was asked for. */
            spec: JsonObject;
            started_at?: components["schemas"]["Timestamp"] | null;
            /** @description Where it is in its life. */
            state: components["schemas"]["RunState"];
            /** @description The study that it is a trial of. */
            study?: string | null;
            /** @description Name of the task. */
            task: string;
            /**
             * Format: int64
             * @description Revision of the task it was prepared with; absent where that is not known.
             */
            task_revision?: number | null;
            /**
             * Format: int32
             * @description CPU threads it takes; all of its worker's without a number.
             */
            threads?: number | null;
            /**
             * Format: int64
             * @description Examples learned from.
             */
            train_samples?: number | null;
            /** @description The name its version is to have; of a measurement, the version that is measured. */
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
        /** @description A run with all that is known of it. */
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
            /** @description Whether its trainer lives. */
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
        /** @description Settings of a training; what isn't given comes from Graft's recipe for the task. */
        RunSettings: {
            /**
             * Format: float
             * @description LoRA: alpha; the adapter is scaled by alpha / rank.
             * @default null
             */
            alpha?: number | null;
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
             * @description Maximum number of held-out examples to evaluate during training.
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
             * @description Gradient checkpointing: recompute activations in the backward pass. Less memory, more time, same result.
             * @default null
             */
            recompute?: boolean | null;
            /**
             * Format: double
             * @description Data augmentation: share of examples that are told in other words in each epoch, for tasks that have wordings.
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
         * @description Where a run is in its life.
         * @enum {string}
         */
        RunState: "queued" | "starting" | "running" | "succeeded" | "failed" | "cancelled";
        /**
         * @description What somebody wants of a run that a worker holds.
         * @enum {string}
         */
        RunWish: "cancel";
        /** @description The schedules there are. */
        ScheduleList: {
            /** @description By name. */
            schedules: components["schemas"]["ScheduleView"][];
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
        };
        /** @description A run that is submitted again and again. */
        ScheduleView: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who added it. */
            created_by: string;
            /** @description When, as a cron pattern. */
            cron: string;
            /** @description Its name. */
            id: string;
            last_at?: components["schemas"]["Timestamp"] | null;
            /** @description Why it submitted none the last time. */
            last_note?: string | null;
            /** @description The run it submitted last. */
            last_run?: string | null;
            /**
             * Format: int64
             * @description Only with at least this many new approvals.
             */
            min_new: number;
            next_at?: components["schemas"]["Timestamp"] | null;
            /** @description What is submitted. */
            request: JsonObject;
            /** @description Name of the task. */
            task: string;
            /** @description The time zone the pattern is read in. */
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
        /** @description Exceptions from the usual comparison of answers. Texts are compared without case, extra spaces, outer punctuation and a
         *     leading "the"; numbers to three decimals; the order of a list doesn't matter. */
        ScoringRules: {
            /**
             * @description Top-level fields compared to the letter.
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
            /** @description Who looks at it. */
            by: string;
            /** @description The example's id. */
            id: string;
            /** @description The page's own name: one person may have several open. */
            page: string;
            /** @description The task of the example that is open. */
            task: string;
        };
        /** @description Who is where. */
        Seats: {
            /** @description Every page that has an example open, the asking one included. */
            seats: components["schemas"]["Seat"][];
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
            /** @description Their name; null for nobody. */
            user?: string | null;
        };
        /** @description Another stage for a version. */
        SetStage: {
            /** @description `shadow`, `canary` or `archived`; `active` is reached by activation. */
            stage: components["schemas"]["Stage"];
        };
        /** @description The Ask AI service's settings, in its own words. */
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
        /**
         * @description What became of a snapshot.
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
         * @description How far a version has come.
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
             * @description How it learns; what isn't said is as usual.
             * @default {
             *       "windows": 1000,
             *       "minutes": 60,
             *       "learning_rate": 0.00025,
             *       "batch": 32,
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
            /** @description What it is decided by; what isn't said is as usual. */
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
            /** @description Items whose weight nobody knows. */
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
        /** @description What a stream tells beside the answer. */
        StreamOptions: {
            /** @description The tokens, at its end. */
            include_usage?: boolean;
        };
        /** @description A search for settings. */
        Study: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who began it. */
            created_by: string;
            finished_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its name. */
            id: string;
            /** @description Why it can't go on, the last time that was tried. */
            note?: string | null;
            /** @description All that decides its trials: budget, seed, space, base, dataset. */
            plan: JsonObject;
            /**
             * Format: int64
             * @description Counts studies, from 1.
             */
            seq: number;
            /** @description Where it is. */
            state: components["schemas"]["StudyState"];
            /** @description Name of the task. */
            task: string;
        };
        /** @description The studies there are. */
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
         * @description Where a study is.
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
            /** @description Whether no trial is better than the recipe, by 1 % of its loss at least; absent before the recipe was tried. */
            defaults_are_best?: boolean | null;
            /** @description Whether it ended before its budget was used up, because the defaults are best. */
            ended_early: boolean;
            /** @description Trials that no other beats in loss, size or latency without being worse in another of them. */
            front: number[];
            /** @description How much each setting matters, the most important first; empty before six trials. */
            importance: components["schemas"]["Importance"][];
            /** @description What is searched, in the sampler's order; a trial's `point` has a value for each that applies. */
            space: components["schemas"]["Parameter"][];
            /** @description It. */
            study: components["schemas"]["Study"];
            /** @description Its trials, in order. */
            trials: components["schemas"]["Trial"][];
        };
        /** @description A job that was queued. */
        SubmittedJob: {
            /** @description Names it. */
            job_id: string;
        };
        /** @description A text that was submitted. */
        SubmittedPrompt: {
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
            /** @description What became of the question. */
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
            /** @description Where state lives. */
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
            /** @description Trackers elsewhere that runs are told to. */
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
        /** @description Everything that decides how an input becomes a prompt and an answer becomes a value.
         *
         *     It is frozen into the run directory and travels inside the adapter folder, so training, evaluation and
         *     inference can't use different ones. Its [digest](TaskCard::digest) names it. */
        TaskCard: {
            /** @description What the model must write. */
            answer: components["schemas"]["AnswerForm"];
            /** @description The instruction, put before the input; the same for every example, so its computation is shared. */
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
            active?: components["schemas"]["Version"] | null;
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
            /** @description The labels known so far, for label tasks. */
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
        TaskTemplate: components["schemas"]["TemplateFile"] & {
            /** @description Names it, and is proposed as the task's name. */
            name: string;
        };
        /** @description A template as it stands in its file. */
        TemplateFile: {
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
            /** @description Form `fields`: JSON Schema of the answer. */
            schema?: JsonObject | null;
            /** @description For people. */
            title: string;
        };
        /** @description The templates there are. */
        TemplateList: {
            /** @description In the order they are shown. */
            templates: components["schemas"]["TaskTemplate"][];
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
        /** @description What a program shows instead of a password. */
        TokenView: {
            /** @description When. */
            created_at: components["schemas"]["Timestamp"];
            /** @description Who made it. */
            created_by: string;
            expires_at?: components["schemas"]["Timestamp"] | null;
            /** @description Its public name. */
            id: string;
            /** @description What it is for. */
            label: string;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
            /** @description The task whose examples are all that it reaches: a review link. */
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
         * @description The trackers there are.
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
        /** @description Why a run ended without a result, in parts. A trainer writes it as its last event; whoever follows the run adds what
         *     can only be seen from outside, and stores it with the run. */
        TrainerFailure: {
            /** @description Why, from the nearest cause to the deepest. */
            causes?: string[];
            /** @description What kind it is: it decides whether the run is tried again. */
            class: components["schemas"]["FailureClass"];
            /**
             * Format: int32
             * @description The public exit code.
             */
            code: number;
            /** @description What people can do. */
            hint?: string | null;
            /** @description What failed, as a sentence without its causes. */
            message: string;
            phase?: components["schemas"]["Phase"] | null;
            /** @description The beginning and the end of what the process wrote to stderr. */
            stderr?: string;
            /** @description The same of stdout. */
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
        /** @description How a dataset is trained; what isn't known here is passed over. */
        TrainingConfig: {
            /**
             * @description Base model; `smollm2-135m` otherwise.
             * @default null
             */
            base?: string | null;
            /**
             * @description Passed over: adapters are safetensors in PEFT's layout.
             * @default null
             */
            checkpoint_format?: string | null;
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
             * @description Examples in the dataset.
             */
            datasetSize?: number | null;
            /** @description Why it failed: the first and last 2,500 characters of what was said, labelled. */
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
            /** @description The result's description, once there is one. */
            metadataPath?: string | null;
            /** @description Said of this answer: that nothing changed since the run. */
            note?: string | null;
            /** @description The run directory. */
            outputDir: string;
            /** @description Name of the run. */
            runIdentifier: string;
            /** @description When training began. */
            startedAt?: string | null;
            /** @description `queued`, `running`, `completed` or `failed`. */
            status: string;
            /** @description Always `soft_prompt`, as that system calls both methods. */
            trainingType: string;
            /** @description Who asked for it. */
            triggeredBy: string;
        };
        /** @description How far a job is. */
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
             * @description Size of its adapter.
             */
            bytes?: number | null;
            /**
             * Format: double
             * @description Milliseconds in which its adapter computed an example that the study holds out, on the machine that trained it.
             */
            latency_ms?: number | null;
            /**
             * Format: double
             * @description Loss on the examples that the study holds out; of one that was stopped early, there.
             */
            loss?: number | null;
            /**
             * Format: int64
             * @description How long it trained.
             */
            millis: number;
            /** @description What is to be known about it. */
            note?: string | null;
            /**
             * Format: int64
             * @description Counts from 0, which is the recipe as it is.
             */
            number: number;
            /** @description The value of each parameter that applies; of a choice, its position. */
            point: JsonObject;
            /** @description Its run. */
            run: string;
            /** @description Loss at a quarter and at half of its training, where earlier trials may stop it; none beyond that. */
            rungs: (number | null)[];
            /** @description The same as settings of a training. */
            settings: JsonObject;
            /** @description What became of it. */
            state: components["schemas"]["TrialState"];
        };
        /**
         * @description What became of a trial.
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
            /** @description What would make the examples better. */
            hints: components["schemas"]["Hint"][];
            /** @description What stands above the examples and may be the task's instruction. */
            instruction?: string | null;
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
            /** @description `true`: people decide on every example, also on those with an answer. */
            pending?: boolean | null;
            /** @description `true`: nothing is stored; the import shows the first examples that it would make. */
            preview?: boolean | null;
            /** @description The task the examples belong to; for Slack and Ask AI the one that belongs to them otherwise. */
            task?: string | null;
        };
        /** @description People who may log in. */
        UserList: {
            /**
             * Format: int64
             * @description How many.
             */
            total: number;
            /** @description By name. */
            users: components["schemas"]["UserView"][];
        };
        /** @description Somebody who may log in. */
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
        /** @description Something that answers a task: a registered adapter, or what needs no language model. */
        Version: {
            /** @description Digest of the adapter's weights, or of the contestant's file. */
            adapter_digest: components["schemas"]["Digest"];
            /** @description The folder of its files, relative to `GRAFT_HOME`. */
            adapter_dir: string;
            /** @description Name of the base model; absent where the version answers without one. */
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
            /** @description How far it has come. */
            stage: components["schemas"]["Stage"];
            /** @description Name of the task. */
            task: string;
            /**
             * Format: int64
             * @description Revision of the task it was trained with; absent where that is not known.
             */
            task_revision?: number | null;
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
        /** @description Why a run doesn't go on, and when that is looked at again. */
        Waiting: {
            until?: components["schemas"]["Timestamp"] | null;
            /** @description Why. */
            why: string;
        };
        /** @description Which examples a warm start learns. */
        WarmStartExamples: {
            /** @description Older examples that are left out. */
            left_out: number;
            /** @description Examples that are new or corrected since the version was trained. */
            new: number;
            /** @description Older examples that are learned again. */
            replayed: number;
            /** @description The version that it starts from. */
            version: string;
        };
        /** @description Counts of a live adapter's windows. */
        WindowCounts: {
            /**
             * Format: int64
             * @description All that were taken in.
             */
            all: number;
            /**
             * Format: int64
             * @description Those that wait to be put in order.
             */
            buffered: number;
            /**
             * Format: int64
             * @description Those that came late.
             */
            late: number;
            oldest?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description Those that wait for the next snapshot.
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
        /** @description Anything that went wrong. */
        OpenAiError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["OpenAiError"];
            };
        };
        /** @description Anything that went wrong. */
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
                /** @description At most this many, the newest; 20 otherwise. */
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
    list_changes: {
        parameters: {
            query?: {
                /** @description Only of this kind of thing. */
                kind?: components["schemas"]["ChangeKind"];
                /** @description Only of this task. */
                task?: string;
                /** @description Only of the thing with this id or name. */
                subject?: string;
                /** @description Only those after this `seq`. */
                after?: number;
                /** @description Only those before this `seq`. */
                before?: number;
                /** @description Which come first; the oldest otherwise. */
                order?: components["schemas"]["ChangeOrder"];
                /** @description At most this many, 500 at most. */
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
                /** @description At most this many, 500 at most. */
                limit?: number;
                /** @description Leaving out this many at the start. */
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
                /** @description Tell the changes after this `seq`, as the `Last-Event-ID` header does; without either, only new ones. */
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
                /** @description Only in this state of review. */
                state?: components["schemas"]["ReviewFilterName"];
                /** @description Only from this kind of source. */
                source?: string;
                /** @description Only with this text in input, output or id. */
                search?: string;
                /** @description Only decided on by this person. */
                by?: string;
                /** @description Only with a suggestion for this field, at any depth; the confidences are about it, then. */
                field?: string;
                /** @description Only with a suggestion that is at least this sure. */
                min_confidence?: number;
                /** @description Only with a suggestion that is less sure than this. */
                max_confidence?: number;
                /** @description In which order. */
                order?: components["schemas"]["OrderName"];
                /** @description At most this many, 500 at most. */
                limit?: number;
                /** @description Leaving out this many at the start. */
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
                /** @description At most this many, 500 at most. */
                limit?: number;
                /** @description Leaving out this many at the start. */
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
                /** @description At most this many, 500 at most. */
                limit?: number;
                /** @description Leaving out this many at the start. */
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
                /** @description The epoch, from 0: a variant may stand for the example, another one in each epoch. */
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
                /** @description The task that belongs to Slack otherwise. */
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
                /** @description The task that belongs to Slack otherwise. */
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
                /** @description The archived ones, too. */
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
                /** @description `true`: check, and tell what would happen; nothing is stored. */
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
                /** @description `true`: check, and tell what would happen; nothing is stored. */
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
                /** @description `true`: check, and tell what would happen; nothing is stored. */
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
                /** @description `true`: check, and tell what would happen; nothing is stored. */
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
                /** @description `true`: check, and tell what would happen; nothing is stored. */
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
            /** @description it can't answer this task, or there is nothing to learn from */
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
                /** @description The active one otherwise. */
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
            /** @description it is active, no version is, or another is being rolled out */
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
            /** @description what is open, or it is worse on the held-out examples */
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
                /** @description At most this many, 500 at most. */
                limit?: number;
                /** @description Leaving out this many at the start. */
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
                    "application/zip": unknown;
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
