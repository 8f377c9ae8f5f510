/** What registries and the network say, whichever side of a build hears it: in words, or only with a status. */
import type { BuildFailure } from '../../shared/model/build.ts';
import type { BuildFailureCode } from '../../shared/model/build-failures.ts';
import { keptLines, longestLine } from './limits.ts';
import { reasonIn } from './words.ts';

type RegistryAnswer = 'untrusted' | 'missing' | 'unauthorized' | 'limited' | 'unreachable';

const registryAnswers: { words: RegExp; status?: RegExp; answer: RegistryAnswer }[] = [
  { words: /x509: |tls: failed to verify/i, answer: 'untrusted' },
  { words: /toomanyrequests|too many requests|rate limit/i, status: /429/, answer: 'limited' },
  {
    words:
      /access denied|unauthorized|authentication required|no basic auth|denied|forbidden|insufficient_scope/i,
    status: /40[13]/,
    answer: 'unauthorized',
  },
  {
    words:
      /no such host|connection refused|i\/o timeout|handshake timeout|Client\.Timeout|timeout awaiting|timeout exceeded|timed out|tls:|network is unreachable|no route to host|failed to do request|HTTP response to HTTPS client|\bEOF\b/i,
    status: /5\d\d/,
    answer: 'unreachable',
  },
  {
    words: /not found|manifest unknown|name unknown|name_unknown|does not exist/i,
    status: /404/,
    answer: 'missing',
  },
];

export const registryAnswer = (message: string) => {
  const said = statusOf(message);
  return registryAnswers.find(({ words, status }) => words.test(message) || status?.test(said))?.answer;
};

/** Empty where the engine tells none. Names of repositories and tags, and amounts, have such numbers in them as well. */
function statusOf(message: string): string {
  const [, beside, behind = ''] =
    /\b(?:status|HTTP)(?: code)?:? (\d{3})\b|\bstatus\b.*?: (\d{3})(?= |$)/i.exec(message) ?? [];
  return beside ?? behind;
}

/** Said of a layer that came whole, and that the engine can't make files of: zstd before Docker 23, or what is no archive. */
export const isUnreadableLayer = (message: string) =>
  /failed to (?:register|extract|unpack|apply) layer|invalid tar header|archive\/tar:|unsupported (?:layer )?compression|Error processing tar file/i.test(
    message,
  );

/** In the words of the registry; nothing where nothing was said. */
const lastOf = (lines: string[]) => {
  const last = lines.findLast((line) => reasonIn(line).text.replace(/:$/, '') !== '');
  return last && reasonIn(last).text;
};

/** A registry also says `denied` of what it refuses to anybody: a tag that can't be moved, a quota that is used up. */
const isUnauthorized = (message: string) =>
  /unauthorized|not authorized|authentication required|no basic auth|requested access .* denied|permission|insufficient_scope/i.test(
    message,
  ) || /40[13]/.test(statusOf(message));

const isForAnybody = (message: string) => /immutable|already exists|quota|does not exist/i.test(message);

/** Docker's client has lost the engine, or doesn't find it: no registry is to blame. */
const isEngineGone = (message: string) =>
  /Cannot connect to the Docker daemon|error during connect|error reading from server|docker\.sock|\bunix @?->/i.test(
    message,
  );

function pushFailureCode(message: string): BuildFailureCode {
  if (isEngineGone(message)) return 'builder-failed';
  if (/no space left on device/i.test(message)) return 'disk-full';
  const answer = registryAnswer(message);
  if (answer === 'untrusted') return 'registry-untrusted';
  if (answer === 'limited') return 'rate-limited';
  if (answer === 'unreachable' && !isForAnybody(message)) return 'target-unavailable';
  return isUnauthorized(message) ? 'push-unauthorized' : 'push-refused';
}

/** What `docker push` failed of, from its last lines. */
export function pushFailure(uri: string, lines: string[]): BuildFailure {
  const last = lastOf(lines) ?? 'docker push failed without output.';
  return {
    code: pushFailureCode(last),
    message: `The builder could not push ${uri}: ${last.slice(0, longestLine)}`,
    lastLines: lines.slice(-keptLines).map((line) => line.slice(0, longestLine)),
  };
}

/** What `docker pull` failed of, from its last lines. */
export function pullFailure(reference: string, lines: string[]): BuildFailure {
  const last = lastOf(lines) ?? 'docker pull failed without output.';
  const codes = {
    untrusted: 'registry-untrusted',
    limited: 'rate-limited',
    unauthorized: 'source-unauthorized',
    missing: 'source-not-found',
    unreachable: 'source-unavailable',
  } as const;
  const answer = /no matching manifest|no match for platform/.test(last) ? 'missing' : registryAnswer(last);
  const code = isUnreadableLayer(last) ? 'source-unsupported' : codes[answer ?? 'unreachable'];
  return {
    code: /no space left on device/i.test(last) ? 'disk-full' : isEngineGone(last) ? 'builder-failed' : code,
    message: `The builder could not pull ${reference}: ${last.slice(0, longestLine)}`,
    lastLines: lines.slice(-keptLines).map((line) => line.slice(0, longestLine)),
  };
}
