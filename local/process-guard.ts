/**
 * Child processes must not outlive the embedded cloud, not even its `kill -9`. A frozen child can't notice that its
 * parent is gone, so a tiny shell does: its standard input ends with us, and it ends everything on its list. What
 * escapes both (the machine's shell killed as well) is found by the next start, by process id and start time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const script = `
list=" "
while read -r change target; do
  case $change in
    +) list="$list$target " ;;
    -) list="\${list%%" $target "*} \${list#*" $target "}" ;;
  esac
done
for target in $list; do kill -s KILL -- "$target" 2>/dev/null; done
`;

/** Ticks since boot at which a process started: with the pid, its identity. Undefined when it doesn't run. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    // No such process, or no /proc at all: nothing that could be ended safely.
    return undefined;
  }
}

/** Signals a process, or a group by its negative id; one that is gone already is as good. */
export function signalProcess(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export class ProcessGuard {
  private readonly db: DatabaseSync;
  private readonly shell: ChildProcess;

  /** Ends what an earlier embedded cloud with this database left behind, then watches for this one. */
  constructor(db: DatabaseSync) {
    this.db = db;
    db.exec(
      'CREATE TABLE IF NOT EXISTS guarded_processes (target INTEGER PRIMARY KEY, start_time TEXT NOT NULL)',
    );
    for (const { target, start_time } of db.prepare('SELECT * FROM guarded_processes').all()) {
      if (startTime(Math.abs(Number(target))) === start_time) signalProcess(Number(target), 'SIGKILL');
    }
    db.exec('DELETE FROM guarded_processes');
    this.shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.shell.stdin?.on('error', () => {
      // The shell is gone; the next start still finds the recorded processes.
    });
    this.shell.unref();
  }

  /** Returns release, to be called when the process has ended. */
  guard(pid: number, scope: 'process' | 'group' = 'process'): () => void {
    const target = scope === 'group' ? -pid : pid;
    this.shell.stdin?.write(`+ ${target}\n`);
    this.db
      .prepare('INSERT OR REPLACE INTO guarded_processes VALUES (?, ?)')
      .run(target, startTime(pid) ?? '');
    return () => {
      this.shell.stdin?.write(`- ${target}\n`);
      this.db.prepare('DELETE FROM guarded_processes WHERE target = ?').run(target);
    };
  }

  /** Ends everything still guarded. */
  close(): void {
    this.shell.stdin?.end();
  }
}
