/** Which of two versions is the later one, by the rules of the package manager. */

/** Orders like `Array.sort`'s argument: negative where `a` is the earlier one. */
export type Comparison = (a: string, b: string) => number;

/** `~` before the end before letters before everything else: dpkg's order of what is no digit. */
const weight = (character: string | undefined): number => {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
};

const compareNumbers = (a: string, b: string): number => {
  // Of any length: leading zeros gone, more digits are more.
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0);
};

function compareNonDigits(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = weight(a[at]) - weight(b[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Runs of non-digits and digits in turns, as dpkg compares upstream versions and revisions. */
function compareDebianPart(a: string, b: string): number {
  const [x, y] = [a, b].map((one) => [...one.matchAll(/(\D*)(\d*)/g)]);
  for (let at = 0; at < Math.max(x?.length ?? 0, y?.length ?? 0); at++) {
    const [, textA = '', digitsA = ''] = x?.[at] ?? [];
    const [, textB = '', digitsB = ''] = y?.[at] ?? [];
    const difference = compareNonDigits(textA, textB) || compareNumbers(digitsA, digitsB);
    if (difference !== 0) return difference;
  }
  return 0;
}

function splitDebian(version: string) {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  };
}

/** `[epoch:]upstream[-revision]`. */
export const compareDebian: Comparison = (a, b) => {
  const [x, y] = [splitDebian(a), splitDebian(b)];
  return (
    compareNumbers(x.epoch, y.epoch) ||
    compareDebianPart(x.upstream, y.upstream) ||
    compareDebianPart(x.revision, y.revision)
  );
};

/** Suffixes of Alpine's versions; those before the empty one are before the release. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

function splitAlpine(version: string) {
  const [, numbers = '', letter = '', rest = '', revision = '0'] =
    /^(\d+(?:\.\d+)*)([a-z]?)((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/.exec(version) ?? [];
  return {
    numbers: numbers.split('.'),
    letter,
    suffixes: [...rest.matchAll(/_([a-z]+)(\d*)/g)].map(([, name = '', number = '']) => ({
      rank: suffixes.indexOf(name),
      number,
    })),
    revision,
  };
}

/** `1.2.3b_rc1-r4`. */
export const compareAlpine: Comparison = (a, b) => {
  const [x, y] = [splitAlpine(a), splitAlpine(b)];
  for (let at = 0; at < Math.max(x.numbers.length, y.numbers.length); at++) {
    const [p, q] = [x.numbers[at], y.numbers[at]];
    if (p === undefined || q === undefined) return p === undefined ? -1 : 1;
    // After the first, a number with a leading zero is a decimal fraction.
    const isFraction = at > 0 && (p.startsWith('0') || q.startsWith('0'));
    const difference = isFraction ? (p < q ? -1 : p > q ? 1 : 0) : compareNumbers(p, q);
    if (difference !== 0) return difference;
  }
  if (x.letter !== y.letter) return x.letter < y.letter ? -1 : 1;
  const release = { rank: suffixes.indexOf(''), number: '' };
  for (let at = 0; at < Math.max(x.suffixes.length, y.suffixes.length); at++) {
    const [p, q] = [x.suffixes[at] ?? release, y.suffixes[at] ?? release];
    const difference = p.rank - q.rank || compareNumbers(p.number, q.number);
    if (difference !== 0) return difference;
  }
  return compareNumbers(x.revision, y.revision);
};
