/** Fires declared schedules; when each is due next is written down, so a restart neither skips nor repeats. */
import type { Cloud } from '../platform.ts';
import { transaction } from '../transaction.ts';
import { parseSchedule } from './expression.ts';

export interface DeclaredSchedule {
  /** Unique, such as an ARN. */
  name: string;
  expression: string;
  timeZone?: string;
  /** Epoch milliseconds; the schedule fires neither before nor after. */
  startsAt?: number;
  endsAt?: number;
  /** Called inside a transaction that also moves the schedule on; `dueAt` is when it should have fired. */
  fire(dueAt: number): void;
}

export interface ScheduleClock {
  /** Replaces what was declared before. Throws an Error on a bad expression. */
  declare(schedules: DeclaredSchedule[]): void;
  /** Fires whatever is due, and says whether anything was. A schedule that fell behind fires once. */
  tick(): boolean;
}

/** `owner` keeps the schedules of several services apart. */
export function createScheduleClock(cloud: Cloud, owner: string): ScheduleClock {
  const { db } = cloud;
  db.exec(`CREATE TABLE IF NOT EXISTS schedule_clock (
    owner TEXT NOT NULL, name TEXT NOT NULL, expression TEXT NOT NULL, declared_at INTEGER NOT NULL,
    next_at INTEGER, PRIMARY KEY (owner, name))`);
  const find = db.prepare('SELECT * FROM schedule_clock WHERE owner = ? AND name = ?');
  const save = db.prepare('INSERT OR REPLACE INTO schedule_clock VALUES (?, ?, ?, ?, ?)');
  const move = db.prepare(
    'UPDATE schedule_clock SET declared_at = ?, next_at = ? WHERE owner = ? AND name = ?',
  );
  let declared: DeclaredSchedule[] = [];
  const now = (): number => cloud.now().getTime();

  function nextOf(one: DeclaredSchedule, declaredAt: number, after: number): number | null {
    const schedule = parseSchedule(one.expression, one.startsAt ?? declaredAt, one.timeZone);
    const next = schedule.next(Math.max(after, (one.startsAt ?? 0) - 1));
    return next === undefined || next > (one.endsAt ?? Number.POSITIVE_INFINITY) ? null : next;
  }

  return {
    declare(schedules) {
      declared = schedules;
      for (const one of schedules) {
        const known = find.get(owner, one.name);
        const text = JSON.stringify([one.expression, one.timeZone, one.startsAt, one.endsAt]);
        if (known?.expression === text) continue;
        save.run(owner, one.name, text, now(), nextOf(one, now(), now()));
      }
    },
    tick() {
      const fired = declared.filter((one) =>
        transaction(db, () => {
          const known = find.get(owner, one.name);
          const dueAt = known?.next_at;
          if (typeof dueAt !== 'number') return false;
          const time = now();
          // Both lie ahead where the machine's clock was set back: the schedule must not pause until it is that late again.
          const declaredAt = Math.min(Number(known?.declared_at), time);
          const next = nextOf(one, declaredAt, time);
          if (dueAt > time && (next === null || next >= dueAt)) return false;
          move.run(declaredAt, next, owner, one.name);
          if (dueAt > time) return false;
          one.fire(dueAt);
          return true;
        }),
      );
      return fired.length > 0;
    },
  };
}
