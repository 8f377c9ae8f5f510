/** What the operator may set, by environment variables. */
import { resolve } from 'node:path';

export interface Settings {
  /** The API's port; the AWS endpoint and the registry take the next two. */
  port: number;
  /** State directory, absolute. */
  home: string;
  stage: string;
  dynamodbEndpoint?: string;
  indexLagMs?: number;
  transactionMs?: number;
  /** Folder with advisories in the OSV format, absolute: what scans of images compare with. */
  advisories?: string;
  /** Where upstream registries of ECR's cache are, by host; the others are where their name says. */
  upstreams: ReadonlyMap<string, string>;
}

/** A setting that can't be used; the message names the variable. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && text.trim() !== '' && value >= least && value <= most) return value;
  throw new SettingError(`${name} must be a whole number from ${least} to ${most}, not '${text}'.`);
}

/** `<host>=<URL>`, separated by commas. */
function mirrors(name: string, text: string): ReadonlyMap<string, string> {
  const pairs = text
    .split(',')
    .filter(Boolean)
    .map((pair) => pair.trim().split('='));
  const wrong = pairs.find(([host, url]) => !host || !/^https?:\/\/[^/]+\/?$/.test(url ?? ''));
  if (wrong)
    throw new SettingError(
      `${name} must be <host>=http://<host>:<port>, or several of these separated by commas, not '${wrong.join('=')}'.`,
    );
  return new Map(pairs as [string, string][]);
}

/** @throws SettingError */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const { SLIPWAY_PORT, SLIPWAY_HOME, SLIPWAY_STAGE, SLIPWAY_DYNAMODB_ENDPOINT, SLIPWAY_INDEX_LAG_MS } =
    environment;
  const { SLIPWAY_ADVISORIES, SLIPWAY_TRANSACTION_MS, SLIPWAY_UPSTREAMS } = environment;
  const endpoint = SLIPWAY_DYNAMODB_ENDPOINT;
  if (endpoint && !/^http:\/\/[^/]+\/?$/.test(endpoint)) {
    throw new SettingError(`SLIPWAY_DYNAMODB_ENDPOINT must be http://<host>:<port>, not '${endpoint}'.`);
  }
  return {
    port: wholeNumber('SLIPWAY_PORT', SLIPWAY_PORT || '4780', 1, 65_533),
    home: resolve(SLIPWAY_HOME || '.slipway'),
    stage: SLIPWAY_STAGE || 'local',
    upstreams: mirrors('SLIPWAY_UPSTREAMS', SLIPWAY_UPSTREAMS ?? ''),
    ...(SLIPWAY_ADVISORIES && { advisories: resolve(SLIPWAY_ADVISORIES) }),
    ...(endpoint && { dynamodbEndpoint: endpoint }),
    ...(SLIPWAY_INDEX_LAG_MS && {
      indexLagMs: wholeNumber('SLIPWAY_INDEX_LAG_MS', SLIPWAY_INDEX_LAG_MS, 0, 60_000),
    }),
    ...(SLIPWAY_TRANSACTION_MS && {
      transactionMs: wholeNumber('SLIPWAY_TRANSACTION_MS', SLIPWAY_TRANSACTION_MS, 0, 60_000),
    }),
  };
}
