# The far side of graft_exec::Ssh: one verb for each thing that is done on the other machine. It is sent with every call
# and needs nothing there but a POSIX shell, tar, and Linux's /proc. Each verb may be repeated.
#
# ~/.cache/graft/bin/SHA256/graft   programs, by what is in them
#               /bases/DIGEST/      base models, by digest
#               /runs/ID/           run directories
#               /jobs/ID/           the process of a run: `pid` names it, `exit` says how it ended. Of a cluster's job: `beat`
#                                   grows while it runs; `slurm` is its number, `limit` says that its time is over; `ray`
#                                   says what Ray said of it last, `attempt` is the number in its name
#               /state/             GRAFT_HOME of the trainers
#               /deadline           of a rented machine: when it ends itself, and after how many seconds of silence
#               /renewed            touched when somebody looks after a run here
#               /guard              the process that keeps the deadline
#
# Exit codes that the caller knows: 91 no space, 92 the program doesn't run, 93 a transfer is incomplete,
# 94 the process lives, 95 something is missing here, 96 Slurm refuses the job, 97 Slurm doesn't answer.
set -u
umask 077
LC_ALL=C
export LC_ALL
cache=${GRAFT_CACHE:-$HOME/.cache/graft}

fail() { # CODE TEXT
    echo "$2" >&2
    exit "$1"
}

# Fails for want of space where that is the reason, with CODE otherwise.
refused() { # CODE TEXT
    left=$(df -Pk "$cache" 2>/dev/null | awk 'NR == 2 { print $4 }')
    [ "${left:-1}" -lt 64 ] && fail 91 "the disk is full"
    head -c 65536 /dev/zero 2>/dev/null > "$cache/.probe" || { rm -f "$cache/.probe"; fail 91 "the disk takes no more"; }
    rm -f "$cache/.probe"
    fail "$1" "$2"
}

make() { # FOLDER
    mkdir -p "$1" || refused 95 "a folder can't be made in $cache"
}

sha256() {
    if command -v sha256sum > /dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

boot() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown; }

# State and start time of a process; a number that another process has now starts at another time.
about() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 1,20 | tr ' ' ':'; }

# What became of the process of a run: running, paused, waiting WHY, unknown, exited CODE, ended HOW or gone. Sets `child`
# to the trainer's process id.
state() { # ID
    child=
    if [ -e "$cache/jobs/$1/ray" ]; then
        ray_state "$cache/jobs/$1"
        return
    fi
    if [ -e "$cache/jobs/$1/slurm" ] || [ -e "$cache/jobs/$1/submitting" ]; then
        slurm_state "$1"
        return
    fi
    [ -e "$cache/jobs/$1/exit" ] && { echo "exited $(cat "$cache/jobs/$1/exit")"; return; }
    if read -r wrapper began child child_began booted 2>/dev/null < "$cache/jobs/$1/pid" && [ "$booted" = "$(boot)" ]; then
        now=$(about "$child")
        case $now in
            Z:* | X:*) ;;
            [Tt]:"$child_began") echo paused; return ;;
            *:"$child_began") echo running; return ;;
        esac
        # The trainer has ended, and its exit code is being written.
        [ "$(about "$wrapper" | cut -d : -f 2)" = "$began" ] && { echo running; return; }
    fi
    if [ -e "$cache/jobs/$1/exit" ]; then echo "exited $(cat "$cache/jobs/$1/exit")"; else echo gone; fi
}

# Whether there is, or may be, a process of a run.
lives() { # ID
    case $(state "$1") in exited* | ended* | gone) false ;; *) true ;; esac
}

# Sets `number` to the number of a run's job. Where the answer to its submission was lost, it is found by its name, which is
# the run's; fails if there is none, with 2 if that can't be told.
find_job() { # ID
    read -r number 2>/dev/null < "$cache/jobs/$1/slurm" && return 0
    [ -e "$cache/jobs/$1/submitting" ] || return 1
    number=$(squeue -h -u "$(id -un)" -n "graft-$1" -t PD,R,S,CF -o %A 2>/dev/null) || return 2
    number=$(echo "$number" | head -n 1)
    [ -n "$number" ] && keep_number "$1" "$number"
}

# Whoever looks at the same moment sees the number or no file: an empty one would mean that there is no job.
keep_number() { # ID NUMBER
    echo "$2" > "$cache/jobs/$1/.slurm.$$" && mv "$cache/jobs/$1/.slurm.$$" "$cache/jobs/$1/slurm"
}

# As `state`, of a job. What Slurm says holds for a while: it isn't to be asked all the time.
slurm_state() { # ID
    job=$cache/jobs/$1
    # Files of other nodes are seen once their folder was read.
    ls "$job" > /dev/null 2>&1
    if [ -e "$job/exit" ]; then
        if [ -e "$job/limit" ] && [ "$(cat "$job/exit")" = 20 ]; then echo "ended time-limit"; else echo "exited $(cat "$job/exit")"; fi
        return
    fi
    find_job "$1"
    case $? in 1) echo gone; return ;; 2) echo unknown; return ;; esac
    now=$(date +%s)
    if read -r asked told 2>/dev/null < "$job/told" && [ $((now - asked)) -lt "${GRAFT_SLURM_PACE:-10}" ]; then
        echo "$told"
        return
    fi
    told=$(job_state "$job" "$number" "$now")
    echo "$now $told" > "$job/.told.$$" && mv "$job/.told.$$" "$job/told"
    echo "$told"
}

# Whether a job that its cluster doesn't know has given no sign of life for so many seconds.
is_silent() { # FOLDER NOW SECONDS
    beat=$(cat "$1/beat" 2>/dev/null)
    if ! read -r since seen 2>/dev/null < "$1/absent" || [ "$seen" != "$beat" ]; then
        echo "$2 $beat" > "$1/absent"
        return 1
    fi
    [ $(($2 - since)) -ge "$3" ]
}

# As `state`, of a job of Ray, by its files and what Ray said of it last.
ray_state() { # FOLDER
    # Files of other nodes are seen once their folder was read.
    ls "$1" > /dev/null 2>&1
    [ -e "$1/exit" ] && { echo "exited $(cat "$1/exit")"; return; }
    [ -e "$1/withdrawn" ] && { echo "ended cancelled"; return; }
    told=$(cat "$1/ray")
    [ "$told" = missing ] || rm -f "$1/absent"
    case $told in
        # Jobs end with their cluster; one whose head node is gone may still be at work on another.
        missing) if is_silent "$1" "$(date +%s)" "${GRAFT_RAY_ABSENCE:-120}"; then echo gone; else echo running; fi ;;
        failed) if [ -e "$1/killed" ]; then echo "exited $(cat "$1/killed")"; else echo "ended node-failed"; fi ;;
        *) echo "$told" ;;
    esac
}

job_state() { # FOLDER NUMBER NOW
    if ! said=$(squeue -h -t all -j "$2" -o '%T %r' 2>&1); then
        # A job that ended a while ago is forgotten; anything else is no answer.
        case $said in *"Invalid job id"*) said= ;; *) echo unknown; return ;; esac
    fi
    # Its line may stand among warnings.
    said=$(echo "$said" | grep -E '^[A-Z_]+( |$)' | tail -n 1)
    # Accounting remembers what the queue has forgotten. That a job is at work is no answer: if the controller lost the job,
    # accounting says so for ever.
    [ -n "$said" ] || said=$(sacct -X -n -P -j "$2" -o State 2>/dev/null | grep -v -E '^(RUNNING|PENDING|SUSPENDED)' | tail -n 1)
    if [ -n "$said" ]; then
        rm -f "$1/absent"
    else
        # Nobody knows the job. An empty answer is no proof.
        is_silent "$1" "$3" "${GRAFT_SLURM_ABSENCE:-120}" || { echo running; return; }
    fi
    case $said in
        PENDING* | REQUEUE* | SPECIAL_EXIT* | RESV_DEL_HOLD*) echo "waiting ${said#* }" ;;
        SUSPENDED* | STOPPED*) echo "waiting Suspended" ;;
        RUNNING* | CONFIGURING* | COMPLETING* | STAGE_OUT* | SIGNALING* | RESIZING*) echo running ;;
        *)
            # Clusters that don't tell by the state tell in the job's output.
            case "$said $(tail -c 4096 "$1/slurm.log" 2>/dev/null)" in
                OUT_OF_MEMORY* | *"memory limit"* | *oom_kill* | *oom-kill*) echo "ended memory" ;;
                TIMEOUT* | DEADLINE* | *"DUE TO TIME LIMIT"*) echo "ended time-limit" ;;
                PREEMPTED* | *"DUE TO PREEMPTION"*) echo "ended preempted" ;;
                NODE_FAIL* | BOOT_FAIL* | *"DUE TO NODE FAILURE"*) echo "ended node-failed" ;;
                CANCELLED*) echo "ended cancelled" ;;
                *) if [ -e "$1/exit" ]; then echo "exited $(cat "$1/exit")"
                   elif [ -e "$1/killed" ]; then echo "exited $(cat "$1/killed")"
                   else echo gone; fi ;;
            esac
            ;;
    esac
}

# Whether Slurm would take a job.
try_job() { # OPTIONS
    command -v sbatch > /dev/null && command -v squeue > /dev/null && command -v scancel > /dev/null \
        || fail 96 "sbatch, squeue or scancel is not found"
    said=$(sbatch --test-only $1 --wrap true 2>&1) || fail 96 "$said"
}

# The script of a cluster's job: runs the trainer, gives signs of life, and notes how it ended.
write_job() { # FOLDER
    echo '#!/bin/sh' > "$1/job.sh"
    cat >> "$1/job.sh" <<'JOB'
job=$1 dir=$2 GRAFT_HOME=$3
shift 3
export GRAFT_HOME
cd "$job" || exit 1
[ -n "${SLURM_JOB_ID:-}" ] && echo "$SLURM_JOB_ID" > .slurm.job && mv .slurm.job slurm
# The end of its time, not a person, had asked the trainer to stop.
[ -e limit ] && rm -f "$dir/stop"
rm -f exit killed limit
# Slurm starts it again after a failure of its node and when it made place for others, but not for ever.
[ "${SLURM_RESTART_COUNT:-0}" -gt 16 ] && { echo "DUE TO NODE FAILURE"; exit 1; }
# Slurm says so two minutes before its time is over: the trainer keeps a checkpoint and ends.
trap ': > limit; : > "$dir/stop"' USR1
# Ray stops a job with this; Slurm sends it to the trainer, too.
[ -n "${SLURM_JOB_ID:-}" ] || trap 'kill -TERM "$child" 2>/dev/null' TERM
(n=0; while kill -0 $$ 2>/dev/null; do n=$((n + 1)); echo $n > beat; sleep 10; done) > /dev/null 2>&1 &
beat=$!
"$@" < /dev/null >> "$dir/stdout.log" 2>> "$dir/stderr.log" &
child=$!
while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
done
# What was killed may have been so by the cluster, which ends this script, too, and knows why.
name=exit
[ "$code" -gt 128 ] && { name=killed; sleep 2; }
echo $code > $name.part && mv $name.part $name
kill "$beat" 2>/dev/null
exit $code
JOB
}

# Submits the job of a run, and waits for nothing.
submit() { # ID DIR OPTIONS PROGRAM ARGS...
    id=$1 dir=$2 options=$3 job=$cache/jobs/$1
    shift 3
    : > "$job/submitting"
    write_job "$job"
    number=$(sbatch --parsable --requeue --job-name="graft-$id" --signal=B:USR1@120 --chdir="$job" --output="$job/slurm.log" \
        $options "$job/job.sh" "$job" "$dir" "$cache/state" "$@" 2>&1) || {
        case $number in
            # Slurm may have taken the job all the same: it is looked for by its name before another is submitted.
            *"Socket timed out"* | *"Zero Bytes were transmitted"* | *"Message receive failure"*) fail 97 "$number" ;;
        esac
        rm -f "$job/submitting"
        case $number in
            *"ontact slurm controller"* | *"Connection refused"*) fail 97 "$number" ;;
            *) fail 96 "$number" ;;
        esac
    }
    # A number, or a number and the cluster's name, among warnings.
    number=$(echo "$number" | grep -E '^[0-9]+(;|$)' | cut -d ';' -f 1)
    keep_number "$id" "$number"
    rm -f "$job/submitting"
    echo "started $number"
}

probe() { # SHA
    make "$cache"
    echo "system $(uname -sm)"
    echo "cores $(getconf _NPROCESSORS_ONLN 2>/dev/null)"
    echo "memory $(awk '/^MemTotal/ { print $2 * 1024 }' /proc/meminfo 2>/dev/null)"
    echo "free $(awk '/^MemAvailable/ { print $2 * 1024 }' /proc/meminfo 2>/dev/null)"
    echo "disk $(df -Pk "$cache" | awk 'NR == 2 { printf "%.0f", $4 * 1024 }')"
    echo "libc $(getconf GNU_LIBC_VERSION 2>/dev/null || echo unknown)"
    echo "cache $cache"
    nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2>/dev/null | sed 's/^/gpu /'
    command -v sbatch > /dev/null && echo "scheduler $(sbatch --version)"
    [ -x "$cache/bin/$1/graft" ] && echo "program $("$cache/bin/$1/graft" --version 2>&1 | head -n 1)"
    true
}

# Which of a base and a run directory are here.
has() { # DIGEST ID
    [ -d "$cache/bases/$1" ] && echo base
    [ -d "$cache/runs/$2" ] && echo run
    true
}

put_program() { # SHA, program on stdin
    make "$cache/bin/$1"
    part=$cache/bin/$1/part.$$
    cat > "$part" 2>/dev/null || { rm -f "$part"; refused 93 "the program wasn't written"; }
    [ "$(sha256 < "$part" | cut -c 1-64)" = "$1" ] || { rm -f "$part"; refused 93 "the program arrived incomplete"; }
    chmod 700 "$part"
    said=$("$part" --version 2>&1) || { rm -f "$part"; fail 92 "$said"; }
    mv "$part" "$cache/bin/$1/graft" && echo "$said"
}

# A folder from an archive on stdin, whose last entry is `.whole`.
put_folder() { # KIND NAME
    make "$cache/$1"
    [ -d "$cache/$1/$2" ] && exit 0
    # What was cut off long ago.
    find "$cache/$1" -maxdepth 1 -name '*.part.*' -mtime +1 -exec rm -rf {} + 2>/dev/null
    part=$cache/$1/$2.part.$$
    make "$part"
    tar -x -f - -C "$part" 2>/dev/null || { rm -rf "$part"; refused 93 "the files weren't written"; }
    [ -e "$part/.whole" ] || { rm -rf "$part"; fail 93 "the files arrived incomplete"; }
    rm -f "$part/.whole"
    # Somebody else may have been faster.
    mv "$part" "$cache/$1/$2" 2>/dev/null || rm -rf "$part"
    [ -d "$cache/$1/$2" ]
}

start() { # ID SHA BASE NICE SLURM ARGS...
    id=$1 program=$cache/bin/$2/graft base=$3 nice=$4 slurm=$5
    shift 5
    dir=$cache/runs/$id job=$cache/jobs/$id
    [ -d "$dir" ] || fail 95 "the run directory isn't here"
    [ -x "$program" ] || fail 95 "the program isn't here"
    make "$job"
    make "$cache/state"
    # Two who start at once: the second waits, and attaches.
    if command -v flock > /dev/null; then
        exec 9> "$job/lock"
        flock 9
    fi
    if lives "$id"; then
        state "$id" > /dev/null
        find_job "$id" && child=$number
        echo "attached $child"
        exit 0
    fi
    rm -f "$dir/stop" "$job/exit" "$job/pid" "$job/slurm" "$job/submitting" "$job/slurm.log" "$job/killed" "$job/limit" "$job/told" "$job/absent" "$job/beat"
    set -- "$@" "$dir"
    [ "$base" = - ] || set -- "$@" --base "$cache/bases/$base"
    if [ "$slurm" != - ]; then
        submit "$id" "$dir" "$slurm" "$program" "$@"
        exit 0
    fi
    # Its own session: the end of this connection doesn't reach it. The wrapper notes how the trainer ended.
    GRAFT_HOME=$cache/state setsid sh -c '
        about() { sed "s/^.*) //" "/proc/$1/stat" 2>/dev/null | cut -d " " -f 20; }
        job=$1 dir=$2 boot=$3 nice=$4
        shift 4
        cd "$job" || exit 1
        "$@" < /dev/null >> "$dir/stdout.log" 2>> "$dir/stderr.log" &
        child=$!
        renice -n "$nice" -p "$child" > /dev/null 2>&1
        echo "$$ $(about $$) $child $(about $child) $boot" > pid.part && mv pid.part pid
        wait "$child"
        echo $? > exit.part && mv exit.part exit
    ' graft "$job" "$dir" "$(boot)" "$nice" "$program" "$@" < /dev/null > /dev/null 2>&1 9>&- &
    tries=0
    while [ ! -e "$job/pid" ] && [ ! -e "$job/exit" ]; do
        tries=$((tries + 1))
        [ $tries -gt 200 ] && refused 95 "the trainer didn't start"
        sleep 0.05
    done
    read -r wrapper began child rest < "$job/pid"
    echo "started $child"
}

# Makes ready what a job of Ray runs. Its program, base and run directory are here.
ready() { # ID ATTEMPT
    job=$cache/jobs/$1
    make "$job"
    make "$cache/state"
    rm -f "$cache/runs/$1/stop" "$job/exit" "$job/killed" "$job/absent" "$job/beat" "$job/withdrawn"
    # The number comes last: whoever sees it finds the rest.
    write_job "$job" && tell "$1" "waiting Submitted" && keep_attempt "$1" "$2" || refused 95 "the job's files weren't written"
}

keep_attempt() { # ID ATTEMPT
    echo "$2" > "$cache/jobs/$1/.attempt.$$" && mv "$cache/jobs/$1/.attempt.$$" "$cache/jobs/$1/attempt"
}

# Replaces a job of Ray that waits by one that is never submitted.
withdraw() { # ID ATTEMPT
    : > "$cache/jobs/$1/withdrawn" && keep_attempt "$1" "$2" || refused 95 "the job's files weren't written"
}

# Keeps what Ray said of a job.
tell() { # ID STATE
    [ -e "$cache/jobs/$1/job.sh" ] || return 0
    echo "$2" > "$cache/jobs/$1/.ray.$$" && mv "$cache/jobs/$1/.ray.$$" "$cache/jobs/$1/ray"
}

# Asks the trainer of a job of Ray to end after its step.
ask_to_stop() { # ID
    [ ! -d "$cache/runs/$1" ] || : > "$cache/runs/$1/stop"
}

# What is new of a run's files, after a line that says which file, from where, and how many bytes.
observe() { # ID EVENTS STDOUT STDERR
    [ -e "$cache/renewed" ] && touch "$cache/renewed"
    echo "state $(state "$1")"
    dir=$cache/runs/$1
    for file in "events.jsonl $2" "stdout.log $3" "stderr.log $4"; do
        name=${file% *} from=${file#* }
        [ -e "$dir/$name" ] || continue
        size=$(wc -c < "$dir/$name")
        # A shorter file is another file.
        [ "$size" -lt "$from" ] && from=0
        count=$((size - from))
        [ "$count" -gt 1048576 ] && count=1048576
        echo "$name $from $count"
        tail -c "+$((from + 1))" "$dir/$name" | head -c "$count"
    done
}

stop() { # ID HOW
    if find_job "$1"; then
        rm -f "$cache/jobs/$1/told"
        lives "$1" || exit 0
        # What waits has nothing that could be kept.
        if [ "$2" = after-step ] && [ "$(state "$1")" = running ]; then
            : > "$cache/runs/$1/stop"
        else
            said=$(scancel "$number" 2>&1) || case $said in *"Invalid job id"*) ;; *) fail 97 "$said" ;; esac
            rm -f "$cache/jobs/$1/told"
        fi
    elif [ "$2" = after-step ]; then
        [ -d "$cache/runs/$1" ] && : > "$cache/runs/$1/stop"
    else
        state "$1" > /dev/null
        [ -n "$child" ] && case $(state "$1") in running | paused) kill -KILL "$child" ;; esac
    fi
    true
}

# What the run made: digests, a blank line, an archive whose last entry is `.whole`.
collect() { # ID WHAT
    [ -e "$cache/renewed" ] && touch "$cache/renewed"
    cd "$cache/runs/$1" 2>/dev/null || exit 0
    if [ "$2" = all ]; then
        case $(state "$1") in
            exited* | ended* | gone) ;;
            unknown) fail 97 "squeue gives no answer" ;;
            *) fail 94 "the trainer is at work" ;;
        esac
        find=.
    else
        find=./checkpoints
    fi
    [ -e "$find" ] || exit 0
    : > .whole 2>/dev/null || refused 95 "the run directory can't be written"
    # Not what was sent, and nothing half written.
    find "$find" -type f ! -path './data/*' ! -name '.graft-*' ! -name '.list.*' ! -path './.collected/*' ! -name spec.json ! -name lock ! -name stop ! -name .whole \
        | grep -E '^\./[A-Za-z0-9_./-]+$' | sort > ".list.$$"
    grep -q . ".list.$$" || { rm -f ".list.$$"; exit 0; }
    xargs sh -c 'if command -v sha256sum > /dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi' sh < ".list.$$"
    echo
    echo ./.whole >> ".list.$$"
    tar -c -f - -T ".list.$$"
    code=$?
    rm -f ".list.$$" .whole
    exit $code
}

forget() { # ID WHAT
    lives "$1" && exit 0
    attempt=$(cat "$cache/jobs/$1/attempt" 2>/dev/null)
    rm -rf "$cache/jobs/$1"
    if [ "$2" = all ]; then
        rm -rf "$cache/runs/$1"
    elif [ -n "$attempt" ]; then
        make "$cache/jobs/$1"
        keep_attempt "$1" "$attempt"
    fi
    # Runs that nobody came back to.
    find "$cache/runs" -mindepth 1 -maxdepth 1 -mtime +60 2>/dev/null | while read -r old; do
        [ -e "$cache/jobs/${old##*/}/pid" ] || [ -e "$cache/jobs/${old##*/}/slurm" ] || [ -e "$cache/jobs/${old##*/}/ray" ] \
            || rm -rf "$old" "$cache/jobs/${old##*/}"
    done
    true
}

# Ends a rented machine after so many seconds, or when nobody has looked after a run for so many.
guard() { # SECONDS SILENCE COMMANDS
    make "$cache"
    echo "$(($(date +%s) + $1)) $2" > "$cache/deadline.part" && mv "$cache/deadline.part" "$cache/deadline" \
        && touch "$cache/renewed" || refused 95 "the deadline wasn't written"
    if read -r guard began booted 2>/dev/null < "$cache/guard" && [ "$booted" = "$(boot)" ]; then
        [ "$(about "$guard" | cut -d : -f 2)" = "$began" ] && exit 0
    fi
    setsid sh -c '
        cache=$1 end=$2
        while :; do
            sleep 3
            deadline=0 silence=0
            read -r deadline silence < "$cache/deadline"
            now=$(date +%s)
            # What is on its way here is a sign of life.
            part=$(find "$cache" -path "*part.*" -type f -newer "$cache/renewed" 2>/dev/null | head -n 1)
            [ -n "$part" ] && touch "$cache/renewed"
            renewed=$(stat -c %Y "$cache/renewed" 2>/dev/null || echo 0)
            [ "$now" -lt "$deadline" ] && [ $((now - renewed)) -lt "$silence" ] && continue
            sh -c "$end"
            sleep 30
        done
    ' graft-guard "$cache" "$3" < /dev/null > /dev/null 2>&1 &
    echo "$! $(about $! | cut -d : -f 2) $(boot)" > "$cache/guard"
}

list() {
    for job in "$cache"/jobs/*; do
        id=${job##*/}
        [ -d "$job" ] && lives "$id" && echo "$id"
    done
    true
}

verb=$1
shift
"$verb" "$@"
