import type { IncomingHttpHeaders } from 'node:http';
import { RegistryError } from './model.ts';

/** 429 as an error that says how long to wait: `Retry-After` as seconds or date, or one of the usual reset headers. */
export function rateLimited(host: string, headers: IncomingHttpHeaders, now: number): RegistryError {
  const seconds = secondsToWait(headers, now);
  return new RegistryError(
    'rate-limited',
    host,
    `${host} refuses further requests for now${seconds === undefined ? '' : `, and asks to wait ${seconds} s`}`,
    { status: 429, ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }) },
  );
}

function secondsToWait(headers: IncomingHttpHeaders, now: number): number | undefined {
  const text = [headers['retry-after'], headers['x-ratelimit-reset'], headers['ratelimit-reset']].find(
    Boolean,
  );
  if (typeof text !== 'string') return undefined;
  const number = Number(text);
  // Some send the moment in epoch seconds where others send a distance.
  const at = Number.isFinite(number)
    ? number > 1e9
      ? number * 1000
      : now + number * 1000
    : Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
