/** A client that follows a log to its end, as any would: it reads on at its cursor, whatever became of the answer before. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface LogPage {
  items: { text: string }[];
  nextCursor?: string;
  complete: boolean;
}

export interface Follower {
  /** What it has received, in order. */
  lines: string[];
  pages: number;
  /** Answers 429 and 503, after which it tried again. */
  refused: number;
  /** Connections that it gave up while it waited. */
  drops: number;
}

export interface FollowOptions {
  apiUrl: string;
  token: string;
  /** Of a build or an experiment, such as `/v1/builds/<id>`. */
  path: string;
  onPage?(page: LogPage): void;
  /** After how many milliseconds a waiting connection is given up, if at all; asked before each request. */
  patienceMs?(): number | undefined;
}

const pauseMs = 500;

/** Resolves at the end of the log. Throws for any answer but 200, 429 and 503. */
export async function followLog(
  { apiUrl, token, path, onPage, patienceMs }: FollowOptions,
  state: Follower = { lines: [], pages: 0, refused: 0, drops: 0 },
): Promise<Follower> {
  for (let cursor = ''; ; ) {
    const answer = await ask(`${apiUrl}${path}/logs?wait=20${cursor}`, token, patienceMs?.());
    if (answer === 'dropped') {
      state.drops++;
      continue;
    }
    if (answer === 'refused') {
      state.refused++;
      await sleep(pauseMs * (1 + Math.random()));
      continue;
    }
    state.pages++;
    state.lines.push(...answer.items.map(({ text }) => text));
    onPage?.(answer);
    if (answer.complete) return state;
    if (answer.nextCursor === undefined) throw new Error('a log that goes on without a cursor');
    cursor = `&cursor=${encodeURIComponent(answer.nextCursor)}`;
  }
}

async function ask(
  url: string,
  token: string,
  patienceMs: number | undefined,
): Promise<LogPage | 'refused' | 'dropped'> {
  const patience = patienceMs === undefined ? undefined : AbortSignal.timeout(Math.round(patienceMs));
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      ...(patience ? { signal: patience } : {}),
    });
    const text = await answer.text();
    if (answer.status === 429 || answer.status === 503) return 'refused';
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`);
    return JSON.parse(text) as LogPage;
  } catch (error) {
    if (patience?.aborted) return 'dropped';
    throw error;
  }
}
