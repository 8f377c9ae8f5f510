/** The token of the first organisation's first admin, made by the script that an operator runs against AWS too. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { readPrivate, writePrivately } from './private-file.ts';

export interface AdminTokenParts {
  apiUrl: string;
  endpointUrl: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  home: string;
  stage: string;
  signal?: AbortSignal;
}

const script = resolve(import.meta.dirname, '../scripts/create-admin.ts');

/** The token of an earlier start, if the API still takes it. */
async function lastToken(file: string, apiUrl: string): Promise<string | undefined> {
  const [token] = /^slp_[\w.-]+$/.exec(readPrivate(file)?.trim() ?? '') ?? [];
  if (!token) return undefined;
  const answer = await fetch(`${apiUrl}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  return answer.ok ? token : undefined;
}

function createAdmin(parts: AdminTokenParts): Promise<string> {
  const { AWS_PROFILE: _, ...environment } = process.env;
  const child = spawn(process.execPath, [script, '--stage', parts.stage], {
    env: {
      ...environment,
      SLIPWAY_STAGE: parts.stage,
      AWS_ENDPOINT_URL: parts.endpointUrl,
      AWS_REGION: parts.region,
      AWS_ACCESS_KEY_ID: parts.accessKeyId,
      AWS_SECRET_ACCESS_KEY: parts.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: parts.signal,
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolved, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const token = /slp_[\w.-]+/.exec(output)?.[0];
      if (code === 0 && token) resolved(token);
      else reject(new Error(`Could not create the first admin: ${(errors || output).trim()}`));
    });
  });
}

/** @throws Error when the script fails */
export async function adminToken(parts: AdminTokenParts): Promise<string> {
  const file = join(parts.home, 'admin-token');
  const known = await lastToken(file, parts.apiUrl);
  if (known) return known;
  const token = await createAdmin(parts);
  writePrivately(file, `${token}\n`);
  return token;
}
