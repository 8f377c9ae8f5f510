/** `WWW-Authenticate`, whose parameters come in any order, quoted or not, and whose `service` or `scope` may be missing. */

export interface Challenge {
  scheme: 'bearer' | 'basic';
  realm?: string;
  service?: string;
  scope?: string;
  error?: string;
}

/** The challenge to answer: Bearer where offered, else Basic; undefined where there is neither. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (!header) return undefined;
  const found: Challenge[] = [];
  // A scheme is a word followed by a space and a parameter, or by nothing; a parameter is name=value.
  const token = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([A-Za-z][A-Za-z0-9_-]*)/g;
  let current: Record<string, string> | undefined;
  for (const [, name, quoted, bare, scheme] of header.matchAll(token)) {
    if (scheme !== undefined) {
      current = undefined;
      const lower = scheme.toLowerCase();
      if (lower === 'bearer' || lower === 'basic') {
        const challenge: Challenge = { scheme: lower };
        found.push(challenge);
        current = challenge as unknown as Record<string, string>;
      }
    } else if (
      name !== undefined &&
      current &&
      ['realm', 'service', 'scope', 'error'].includes(name.toLowerCase())
    ) {
      current[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
    }
  }
  return (
    found.find((one) => one.scheme === 'bearer' && one.realm) ?? found.find((one) => one.scheme === 'basic')
  );
}
