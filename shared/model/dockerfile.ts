/**
 * Which images a Dockerfile builds on. Read only as far as that needs: what doesn't parse here is the builder's to
 * refuse, with the engine's own words.
 */

/** References as written, with build arguments put in; stages of the same file and `scratch` are none. */
export function baseImages(dockerfile: string, buildArgs: Record<string, string>): string[] {
  const found = new Set<string>();
  const stages = new Set<string>();
  const args = new Map<string, string>();
  const { syntax, lines } = logicalLines(dockerfile);
  if (syntax) found.add(syntax);
  let inStage = false;
  for (const line of lines) {
    const [, instruction = '', rest = ''] = /^([A-Za-z]+)\s+(.*)$/s.exec(line) ?? [];
    const upper = instruction.toUpperCase();
    if (upper === 'ARG' && !inStage)
      for (const [, name = '', , value = ''] of rest.matchAll(/([A-Za-z_]\w*)(=("[^"]*"|'[^']*'|\S*))?/g))
        args.set(name, buildArgs[name] ?? substitute(unquoted(value), args));
    if (upper === 'FROM') {
      inStage = true;
      const words = rest.split(/\s+/).filter((word) => word !== '' && !word.startsWith('--'));
      const image = substitute(unquoted(words[0] ?? ''), args);
      if (image !== '' && image !== 'scratch' && !stages.has(image.toLowerCase())) found.add(image);
      if (words[1]?.toUpperCase() === 'AS' && words[2]) stages.add(words[2].toLowerCase());
    }
    if (upper === 'COPY' || upper === 'RUN')
      for (const [, image = ''] of rest.matchAll(/(?:^|\s)--(?:from=|mount=\S*?\bfrom=)([^\s,]+)/g))
        if (!/^\d+$/.test(image) && !stages.has(image.toLowerCase())) found.add(image);
  }
  return [...found];
}

/** Instructions with their continuation lines joined; comments, and the bodies of here-documents, left out. */
function logicalLines(dockerfile: string): { syntax?: string; lines: string[] } {
  const lines: string[] = [];
  let continuation = '\\';
  let syntax: string | undefined;
  let directives = true;
  let current = '';
  const hereDocuments: { word: string; trimTabs: boolean }[] = [];
  for (const raw of dockerfile.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const [open] = hereDocuments;
    if (open) {
      if ((open.trimTabs ? raw.replace(/^\t+/, '') : raw) === open.word) hereDocuments.shift();
      continue;
    }
    const line = raw.trim();
    const [, key, value = ''] = directives ? (/^#\s*(\w+)\s*=\s*(.*)$/.exec(line) ?? []) : [];
    if (key?.toLowerCase() === 'syntax') syntax = value.trim();
    else if (key?.toLowerCase() === 'escape' && value.trim() === '`') continuation = '`';
    if (key === undefined) directives = false;
    if (line === '' || line.startsWith('#')) continue;
    if (line.endsWith(continuation)) {
      current += `${line.slice(0, -1)} `;
      continue;
    }
    current += line;
    lines.push(current);
    if (/^(RUN|COPY|ADD)\s/i.test(current))
      for (const [, dash, , word = ''] of current.matchAll(/<<(-?)(["']?)([A-Za-z_]\w*)\2/g))
        hereDocuments.push({ word, trimTabs: dash === '-' });
    current = '';
  }
  if (current !== '') lines.push(current);
  return { ...(syntax ? { syntax } : {}), lines };
}

const unquoted = (text: string) => text.replace(/^(["'])(.*)\1$/, '$2');

/** `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`. */
const substitute = (text: string, args: ReadonlyMap<string, string>): string =>
  text.replace(
    /\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
    (_, bare: string | undefined, braced: string | undefined, operator: string | undefined, word = '') => {
      const value = args.get(bare ?? braced ?? '') ?? '';
      if (operator === '-') return value === '' ? word : value;
      if (operator === '+') return value === '' ? '' : word;
      return value;
    },
  );
