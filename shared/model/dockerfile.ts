/**
 * Which images a Dockerfile builds on, and where in its text they stand. Read only as far as that needs: what doesn't
 * parse here is the builder's to refuse, with the engine's own words.
 */

/** An image that a Dockerfile names. */
interface Base {
  /** As written, with build arguments put in. */
  reference: string;
  /** Where it stands in the text. */
  start: number;
  end: number;
}

/** One instruction with its continuation lines joined; `at` is each character's place in the text. */
interface Line {
  text: string;
  at: number[];
  /** Text of its here-documents. */
  body: string;
}

/** What an engine sets before the first stage. */
export const platformArgs = {
  TARGETPLATFORM: 'linux/amd64',
  TARGETOS: 'linux',
  TARGETARCH: 'amd64',
  TARGETVARIANT: '',
  BUILDPLATFORM: 'linux/amd64',
  BUILDOS: 'linux',
  BUILDARCH: 'amd64',
  BUILDVARIANT: '',
};

/** References as written, with build arguments put in; stages of the same file and `scratch` are none. */
export function baseImages(dockerfile: string, buildArgs: Record<string, string>): string[] {
  return [...new Set(basesIn(dockerfile, buildArgs).map(({ reference }) => reference))];
}

/** The same text, except that every reference with an entry in `digests` names that digest as well. */
export function pinBases(
  dockerfile: string,
  buildArgs: Record<string, string>,
  digests: Record<string, string>,
): string {
  let pinned = dockerfile;
  for (const { reference, start, end } of basesIn(dockerfile, buildArgs).sort((a, b) => b.start - a.start)) {
    const digest = Object.hasOwn(digests, reference) ? digests[reference] : undefined;
    if (digest !== undefined && !reference.includes('@'))
      pinned = `${pinned.slice(0, start)}${reference}@${digest}${pinned.slice(end)}`;
  }
  return pinned;
}

function basesIn(dockerfile: string, buildArgs: Record<string, string>): Base[] {
  const found: Base[] = [];
  const stages = new Set<string>();
  const args = new Map<string, string>(Object.entries(platformArgs));
  const { syntax, lines } = logicalLines(dockerfile);
  if (syntax) found.push(syntax);
  let inStage = false;
  for (const line of lines) {
    const words = [...line.text.matchAll(/\S+/g)].map(({ 0: word, index }) => ({ word, index }));
    const instruction = words.shift()?.word.toUpperCase();
    const image = (word: string, index: number, reference: string) => {
      if (reference === '' || reference === 'scratch' || stages.has(reference.toLowerCase())) return;
      const start = line.at[index];
      const last = line.at[index + word.length - 1];
      if (start !== undefined && last !== undefined) found.push({ reference, start, end: last + 1 });
    };
    if (instruction === 'ARG' && !inStage) {
      const rest = line.text.replace(/^\s*\S+\s*/, '');
      for (const [, name = '', , value = ''] of rest.matchAll(/([A-Za-z_]\w*)(=("[^"]*"|'[^']*'|\S*))?/g))
        args.set(name, buildArgs[name] ?? substitute(unquoted(value), args));
    }
    if (instruction === 'FROM') {
      inStage = true;
      const [first, as, name] = words.filter(({ word }) => !word.startsWith('--'));
      if (first) image(first.word, first.index, substitute(unquoted(first.word), args));
      if (as?.word.toUpperCase() === 'AS' && name) stages.add(name.word.toLowerCase());
    }
    // Only the flags before the arguments: what a command does with `--from` is its own business.
    if (instruction === 'COPY' || instruction === 'RUN')
      for (const { word, index } of words) {
        if (!word.startsWith('--')) break;
        const pattern = instruction === 'COPY' ? /^--from=(.+)$/d : /^--mount=(?:.*,)?from=([^,]+)/d;
        const match = pattern.exec(word);
        const [from] = match?.indices?.[1] ?? [];
        if (match?.[1] && from !== undefined && !/^\d+$/.test(match[1]))
          image(match[1], index + from, match[1]);
      }
  }
  return found;
}

/** Comments are left out, and the bodies of here-documents kept apart. */
export function logicalLines(dockerfile: string): { syntax?: Base; lines: Line[] } {
  const lines: Line[] = [];
  let continuation = '\\';
  let syntax: Base | undefined;
  let directives = true;
  let current: Line = { text: '', at: [], body: '' };
  const hereDocuments: { word: string; trimTabs: boolean }[] = [];
  for (const { raw, offset } of physicalLines(dockerfile)) {
    const [open] = hereDocuments;
    if (open) {
      if ((open.trimTabs ? raw.replace(/^\t+/, '') : raw) === open.word) hereDocuments.shift();
      else {
        const last = lines.at(-1);
        if (last) last.body += `${raw}\n`;
      }
      continue;
    }
    const line = raw.trim();
    const directive = directives ? /^#\s*(\w+)\s*=\s*(.*)$/d.exec(line) : null;
    const [, key = '', value = ''] = directive ?? [];
    if (key.toLowerCase() === 'syntax' && value !== '') {
      const start = offset + raw.indexOf(line) + (directive?.indices?.[2]?.[0] ?? 0);
      syntax ??= { reference: value, start, end: start + value.length };
    } else if (key.toLowerCase() === 'escape' && value === '`') continuation = '`';
    if (!directive) directives = false;
    if (line === '' || line.startsWith('#')) continue;
    const end = raw.trimEnd().length;
    const continues = line.endsWith(continuation);
    const begin = current.text === '' ? raw.indexOf(line) : 0;
    for (let i = begin; i < end - (continues ? 1 : 0); i++) {
      current.text += raw[i];
      current.at.push(offset + i);
    }
    if (continues) continue;
    lines.push(current);
    if (/^(RUN|COPY|ADD)\s/i.test(current.text))
      for (const [, dash, , word = ''] of current.text.matchAll(/<<(-?)(["']?)([A-Za-z_]\w*)\2/g))
        hereDocuments.push({ word, trimTabs: dash === '-' });
    current = { text: '', at: [], body: '' };
  }
  if (current.text !== '') lines.push(current);
  return { ...(syntax ? { syntax } : {}), lines };
}

function* physicalLines(text: string): Generator<{ raw: string; offset: number }> {
  let offset = text.startsWith('\uFEFF') ? 1 : 0;
  while (offset <= text.length) {
    const feed = text.indexOf('\n', offset);
    const end = feed < 0 ? text.length : feed;
    yield { raw: text.slice(offset, end).replace(/\r$/, ''), offset };
    offset = end + 1;
  }
}

export const unquoted = (text: string) => text.replace(/^(["'])(.*)\1$/, '$2');

/** `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`. */
export const substitute = (text: string, args: ReadonlyMap<string, string>): string =>
  text.replace(
    /\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
    (_, bare: string | undefined, braced: string | undefined, operator: string | undefined, word = '') => {
      const value = args.get(bare ?? braced ?? '') ?? '';
      if (operator === '-') return value === '' ? word : value;
      if (operator === '+') return value === '' ? '' : word;
      return value;
    },
  );
