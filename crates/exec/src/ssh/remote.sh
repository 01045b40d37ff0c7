# The far side of graft_exec::Ssh: one verb for each thing that is done on the other machine. It is sent with every call
# and needs nothing there but a POSIX shell, tar, and Linux's /proc. Each verb may be repeated.
#
# ~/.cache/graft/bin/SHA256/graft   programs, by what is in them
#               /bases/DIGEST/      base models, by digest
#               /runs/ID/           run directories
#               /jobs/ID/           the process of a run: `pid` names it, `exit` says how it ended
#               /state/             GRAFT_HOME of the trainers
#               /deadline           of a rented machine: when it shuts itself down, and after how many seconds of silence
#               /renewed            touched when somebody looks after a run here
#               /guard              the process that keeps the deadline
#
# Exit codes that the caller knows: 91 no space, 92 the program doesn't run, 93 a transfer is incomplete,
# 94 the process lives, 95 something is missing here.
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

# What became of the process of a run: running, paused, exited CODE or gone. Sets `child` to the trainer's process id.
state() { # ID
    child=
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

start() { # ID SHA BASE NICE ARGS...
    id=$1 program=$cache/bin/$2/graft base=$3 nice=$4
    shift 4
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
    found=$(state "$id")
    case $found in
        running | paused)
            state "$id" > /dev/null
            echo "attached $child"
            exit 0
            ;;
    esac
    rm -f "$dir/stop" "$job/exit" "$job/pid"
    set -- "$@" "$dir"
    [ "$base" = - ] || set -- "$@" --base "$cache/bases/$base"
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
    if [ "$2" = after-step ]; then
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
        case $(state "$1") in running | paused) fail 94 "the trainer is at work" ;; esac
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
    case $(state "$1") in running | paused) exit 0 ;; esac
    rm -rf "$cache/jobs/$1"
    [ "$2" = all ] && rm -rf "$cache/runs/$1"
    # Runs that nobody came back to.
    find "$cache/runs" -mindepth 1 -maxdepth 1 -mtime +60 2>/dev/null | while read -r old; do
        [ -e "$cache/jobs/${old##*/}/pid" ] || rm -rf "$old"
    done
    true
}

# Shuts a rented machine down after so many seconds, or when nobody has looked after a run for so many.
guard() { # SECONDS SILENCE
    make "$cache"
    echo "$(($(date +%s) + $1)) $2" > "$cache/deadline.part" && mv "$cache/deadline.part" "$cache/deadline" \
        && touch "$cache/renewed" || refused 95 "the deadline wasn't written"
    if read -r guard began booted 2>/dev/null < "$cache/guard" && [ "$booted" = "$(boot)" ]; then
        [ "$(about "$guard" | cut -d : -f 2)" = "$began" ] && exit 0
    fi
    setsid sh -c '
        cache=$1
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
            sudo -n shutdown -h now || shutdown -h now || sudo -n poweroff || poweroff
            sleep 30
        done
    ' graft-guard "$cache" < /dev/null > /dev/null 2>&1 &
    echo "$! $(about $! | cut -d : -f 2) $(boot)" > "$cache/guard"
}

list() {
    for job in "$cache"/jobs/*; do
        id=${job##*/}
        case $(state "$id") in running | paused) echo "$id" ;; esac
    done
}

verb=$1
shift
"$verb" "$@"
