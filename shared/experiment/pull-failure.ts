/** Why a host could not pull an image, from the words of its container engine. */
import type { ExperimentReason } from '../model/experiment.ts';

/** The first that matches counts: what is said of one layer may name several things. */
const rules: [pattern: RegExp, code: ExperimentReason][] = [
  [/toomanyrequests|rate limit/i, 'registry-rate-limited'],
  [/no space left on device/i, 'image-pull-failed'],
  [
    /time-?out|deadline exceeded|context canceled|connection (?:refused|reset)|no such host|i\/o timeout/i,
    'image-pull-failed',
  ],
  [
    /no matching manifest|does not match the specified platform|cannot be used on this platform|(?:unsupported|unknown|unrecognized) (?:media ?type|manifest|schema)|mediaType in manifest|image format|max depth exceeded/i,
    'image-unsupported',
  ],
  [
    /verification failed|failed to (?:register|extract) layer|processing tar|archive\/tar|gzip: |zstd|invalid checksum|(?:digest|size) (?:did not match|mismatch|validation)|don't match image configuration|not a valid .*config|invalid (?:rootfs|diff ?id)/i,
    'image-corrupt',
  ],
  [/unauthori[sz]ed|not authori[sz]ed|denied|forbidden|authentication|no basic auth/i, 'image-unauthorized'],
  [/not found|manifest unknown|name unknown|does not exist/i, 'image-not-found'],
];

export const pullFailure = (words: string): ExperimentReason =>
  rules.find(([pattern]) => pattern.test(words))?.[1] ?? 'image-pull-failed';
