/** Executions, and what their tasks have come to, in the database: enough to go on after a restart. */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Beginning, SteadyTime } from '../steady-time.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** Times are epoch milliseconds. */
export interface Execution {
  arn: string;
  machineArn: string;
  name: string;
  /** JSON text, as given. */
  input: string;
  status: ExecutionStatus;
  startedAt: number;
  startedSteady?: SteadyTime;
  stoppedAt?: number;
  /** JSON text. */
  output?: string;
  error?: string;
  cause?: string;
}

/** One run of a Task or Wait state. */
export interface Call {
  startedAt: number;
  startedSteady?: SteadyTime;
  /** When a Wait state is over. */
  waitUntil?: number;
  jobId?: string;
  outcome?: { result: unknown } | { error: string; cause: string };
}

const schema = `
CREATE TABLE IF NOT EXISTS states_executions (
  arn TEXT PRIMARY KEY, machine TEXT NOT NULL, status TEXT NOT NULL, started_at INTEGER NOT NULL, execution TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS states_executions_by_machine ON states_executions (machine, started_at);
CREATE INDEX IF NOT EXISTS states_executions_by_status ON states_executions (status);
CREATE TABLE IF NOT EXISTS states_calls (
  execution TEXT NOT NULL REFERENCES states_executions, state TEXT NOT NULL, key TEXT NOT NULL, call TEXT NOT NULL,
  PRIMARY KEY (execution, state, key)) STRICT;
`;

export type ExecutionStore = ReturnType<typeof createExecutionStore>;

export function createExecutionStore(db: DatabaseSync) {
  db.exec(schema);
  const toExecution = (row: Record<string, unknown>) => JSON.parse(String(row.execution)) as Execution;
  return {
    insert(execution: Execution): void {
      db.prepare('INSERT INTO states_executions VALUES (?, ?, ?, ?, ?)').run(
        execution.arn,
        execution.machineArn,
        execution.status,
        execution.startedAt,
        JSON.stringify(execution),
      );
    },
    save(execution: Execution): void {
      db.prepare('UPDATE states_executions SET status = ?, execution = ? WHERE arn = ?').run(
        execution.status,
        JSON.stringify(execution),
        execution.arn,
      );
    },
    get(arn: string): Execution | undefined {
      const row = db.prepare('SELECT execution FROM states_executions WHERE arn = ?').get(arn);
      return row && toExecution(row);
    },
    running: (): Execution[] =>
      db
        .prepare("SELECT execution FROM states_executions WHERE status = 'RUNNING' ORDER BY started_at")
        .all()
        .map(toExecution),
    /** Newest first. */
    list(machineArn: string, status: string | undefined, count: number, offset: number): Execution[] {
      return db
        .prepare(
          'SELECT execution FROM states_executions WHERE machine = ?1 AND (?2 IS NULL OR status = ?2) ORDER BY started_at DESC, rowid DESC LIMIT ?3 OFFSET ?4',
        )
        .all(machineArn, status ?? null, count, offset)
        .map(toExecution);
    },
    /** Forgets executions that began before this time and have ended: their names may be used again. */
    forgetEndedBefore(time: number): void {
      db.prepare("DELETE FROM states_executions WHERE status <> 'RUNNING' AND started_at < ?").run(time);
    },
    /** What is recorded of an execution's calls is only needed while it runs. */
    forgetCalls: (arn: string) => void db.prepare('DELETE FROM states_calls WHERE execution = ?').run(arn),
    journal: (arn: string): Journal => createJournal(db, arn),
  };
}

export interface JournalEntry {
  call: Call;
  save(): void;
}

export interface Journal {
  /**
   * The record of a state's next run: the one from before the restart, if there is one, or a new one. States inside
   * a Map or Parallel state run in any order, so there a run is known by its input.
   */
  next(state: string, isNested: boolean, input: unknown, begun: Beginning): JournalEntry;
  /** True if later runs of this state are on record. */
  isReplaying(state: string): boolean;
}

function createJournal(db: DatabaseSync, arn: string): Journal {
  const rows = db.prepare('SELECT state, key, call FROM states_calls WHERE execution = ?').all(arn);
  const recorded = new Map<string, Map<string, Call>>();
  for (const { state, key, call } of rows) {
    const calls = recorded.get(String(state)) ?? new Map<string, Call>();
    recorded.set(String(state), calls.set(String(key), JSON.parse(String(call)) as Call));
  }
  const counts = new Map<string, number>();
  const write = db.prepare(
    'INSERT INTO states_calls VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET call = excluded.call',
  );
  return {
    next(state, isNested, input, begun) {
      const inputKey = isNested ? createHash('sha256').update(JSON.stringify(input)).digest('hex') : '';
      const count = (counts.get(`${state}/${inputKey}`) ?? 0) + 1;
      counts.set(`${state}/${inputKey}`, count);
      const key = `${inputKey}#${count}`;
      const known = recorded.get(state)?.get(key);
      recorded.get(state)?.delete(key);
      const call: Call = known ?? { startedAt: begun.wall, startedSteady: begun.steady };
      const save = () => void write.run(arn, state, key, JSON.stringify(call));
      if (!known) save();
      return { call, save };
    },
    isReplaying: (state) => (recorded.get(state)?.size ?? 0) > 0,
  };
}

/** When an execution or a call began. */
export const beginningOf = ({
  startedAt,
  startedSteady,
}: Pick<Call, 'startedAt' | 'startedSteady'>): Beginning => ({
  wall: startedAt,
  steady: startedSteady,
});
