/** Slipway's HTTP API as any program would call it: an address, a token, JSON. */

/** The API refused; the message names the call, the status and every invalid field. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  constructor(call: string, status: number, body: string) {
    super(`${call}: ${status} ${explain(body)}`);
    this.status = status;
  }
}

function explain(body: string): string {
  try {
    const problem = JSON.parse(body) as {
      detail?: string;
      message?: string;
      errors?: { pointer: string; message: string }[];
    };
    const fields = (problem.errors ?? []).map((one) =>
      one.pointer === '' ? one.message : `${one.pointer}: ${one.message}`,
    );
    return [problem.detail ?? problem.message ?? body, ...fields].join('; ');
  } catch {
    // Not JSON: whatever answered says it in its own words.
    return body.slice(0, 300);
  }
}

export interface Api {
  readonly url: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
}

/** Both methods throw `ApiError` for every status from 400 on. `signal` ends whatever is under way. */
export function createApi(url: string, token: string, signal: AbortSignal): Api {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
    });
    const text = await answer.text();
    if (!answer.ok) throw new ApiError(`${method} ${path}`, answer.status, text);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
  return {
    url,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
  };
}
