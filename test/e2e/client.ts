/** The API as a user sees it, with what tests need around it: uploads, waiting, following. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as a user with curl and jq would
export type Json = any;

export interface Reply {
  status: number;
  headers: Headers;
  body: Json;
}

export interface Api {
  readonly url: string;
  readonly token: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  get(path: string): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** GET that must answer 200; its body. */
  read(path: string): Promise<Json>;
  /** Asks until `accept` is content with the body; throws with the last body when `seconds` are over. */
  until(path: string, accept: (body: Json) => boolean, seconds?: number): Promise<Json>;
  /** All log lines of a build or experiment, followed to the end as a client would. */
  log(path: string): Promise<Json[]>;
}

export function apiOf(url: string, token: string): Api {
  const api: Api = {
    url,
    token,
    async call(method, path, body, headers = {}) {
      const answer = await unthrottled(() =>
        fetch(url + path, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      );
      const text = await answer.text();
      const json = answer.headers.get('content-type')?.includes('json');
      return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
    },
    get: (path) => api.call('GET', path),
    post: (path, body, headers) => api.call('POST', path, body, headers),
    async read(path) {
      const { status, body } = await api.get(path);
      expect(status, JSON.stringify(body)).toBe(200);
      return body;
    },
    async until(path, accept, seconds = 900) {
      const end = performance.now() + seconds * 1000;
      for (;;) {
        const body = await api.read(path);
        if (accept(body)) return body;
        if (performance.now() > end) throw new Error(`${path} after ${seconds} s: ${JSON.stringify(body)}`);
        await sleep(150);
      }
    },
    async log(path) {
      const lines: Json[] = [];
      for (let cursor: string | undefined; ; ) {
        const query = new URLSearchParams({ wait: '20', ...(cursor ? { cursor } : {}) });
        const page = await api.read(`${path}/logs?${query}`);
        lines.push(...page.items);
        // Without a next cursor the work has ended and this was the last line.
        if (page.nextCursor === undefined) return lines;
        cursor = page.nextCursor;
      }
    },
  };
  return api;
}

/** What the gateway throttles (100 requests a second, as on AWS) has reached nobody: it is sent again. */
async function unthrottled(send: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send();
    if (answer.status !== 429 || attempt === 40) return answer;
    await answer.text();
    await sleep(250);
  }
}

export const settled = (body: Json) => ['succeeded', 'failed', 'stopped', 'timed_out'].includes(body.status);

/** A name that no other test uses. */
export const unique = (prefix: string) => `${prefix}-${Math.random().toString(36).slice(2, 10)}`;
