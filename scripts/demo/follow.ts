/** Follows what grows: a log while it is written, a record until it is finished. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Detail, dim, printable, say } from '../progress.ts';
import type { Api } from './api.ts';
import type { Followed, LogLine, TimelineEvent } from './resources.ts';

const FINISHED = new Set(['succeeded', 'failed', 'stopped', 'timed_out']);

/** Prints the log of a build or an experiment, line by line as it appears, until it ends. Returns all its lines. */
export async function followLog(
  api: Api,
  path: string,
  shown: (line: string) => boolean = () => true,
): Promise<string[]> {
  const lines: string[] = [];
  let cursor = '';
  for (;;) {
    // The answer comes as soon as there is a new line; 20 seconds without one, and we ask again.
    const page = await api.get<Followed<LogLine>>(
      `${path}/logs?wait=20&limit=500${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    for (const { text } of page.items) {
      lines.push(text);
      if (shown(text)) say(`  ${dim('|')} ${printable(text)}`);
    }
    if (page.complete) return lines;
    cursor = page.nextCursor ?? cursor;
  }
}

/** Reads a record until it is in a final state. */
export async function untilFinished<T extends { status: string }>(
  api: Api,
  path: string,
  detail: Detail,
): Promise<T> {
  for (;;) {
    const record = await api.get<T>(path);
    if (FINISHED.has(record.status)) return record;
    detail(record.status);
    await sleep(200);
  }
}

/** The whole timeline, oldest first. */
export async function timeline(api: Api, path: string): Promise<TimelineEvent[]> {
  const events: TimelineEvent[] = [];
  let cursor = '';
  for (;;) {
    const page = await api.get<Followed<TimelineEvent>>(
      `${path}/events${cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`}`,
    );
    events.push(...page.items);
    if (page.complete || page.items.length === 0) return events;
    cursor = page.nextCursor ?? cursor;
  }
}
