/** What an image can do (I11): which kinds of job its contents are enough for. Pure: from a probe's output to the answer. */

/** What a probe found in an image. Absent is what isn't there. */
export interface Probe {
  /** Whether there is a `/bin/sh` to ask with; without one nothing else is known. */
  shell: boolean;
  runtimes: Partial<Record<Runtime, string>>;
  tools: Partial<Record<Tool, string>>;
  /** Versions of packages of the matrix, by name. */
  packages: Record<string, string>;
  cuda: { version?: string; libraries: string[] };
}

export interface KindSupport {
  kind: JobKind;
  supported: boolean;
  missing: string[];
  missingOptional: string[];
}

export const runtimes = ['python', 'r', 'julia', 'node'] as const;
export type Runtime = (typeof runtimes)[number];
export const tools = ['pip', 'tar', 'git', 'ssh'] as const;
export type Tool = (typeof tools)[number];

/** The last major version of pip that is too old for every kind of job. */
const pipTooOld = 10;
const pip = `pip >${pipTooOld}`;
/** Of every kind of session; an experiment's command has the image as it is. */
const session = [pip, 'tar'] as const;

interface Needs {
  needs: readonly string[];
  optional?: readonly string[];
}

const matrix = {
  experiment: { needs: [], optional: ['tensorboard'] },
  jupyterlab: { needs: [...session, 'jupyterlab'], optional: ['jupyterlab-git'] },
  rstudio: { needs: [...session, 'rstudio-server'] },
  shiny: { needs: [...session, 'r', 'shiny'] },
  dash: { needs: [...session, 'dash', 'dash-daq'] },
  voila: { needs: [...session, 'voila', 'Pygments'] },
  'tensorboard-compare': { needs: [...session, 'tensorboard'] },
  serving: { needs: [...session, 'flask', 'gunicorn'] },
  vscode: { needs: [...session] },
  git: { needs: [...session, 'git', 'ssh'] },
} as const satisfies Record<string, Needs>;

export type JobKind = keyof typeof matrix;
export const jobKinds = Object.keys(matrix) as [JobKind, ...JobKind[]];

/** Python packages that a probe asks for. */
export const pythonPackages = [
  'tensorboard',
  'jupyterlab',
  'jupyterlab-git',
  'dash',
  'dash-daq',
  'voila',
  'Pygments',
  'flask',
  'gunicorn',
] as const;
/** Others: packages of R, and programs that bring their own version. */
const otherPackages = ['shiny', 'rstudio-server'];
const knownPackages: readonly string[] = [...pythonPackages, ...otherPackages];

/** Each kind of job, with what the image lacks for it. */
export function supportOf(probe: Probe): KindSupport[] {
  const lacks = (names: readonly string[]) => names.filter((name) => !has(probe, name));
  return (Object.entries(matrix) as [JobKind, Needs][]).map(([kind, { needs, optional = [] }]) => {
    const missing = probe.shell ? lacks(needs) : ['/bin/sh'];
    return {
      kind,
      supported: missing.length === 0,
      missing,
      missingOptional: probe.shell ? lacks(optional) : [],
    };
  });
}

function has({ runtimes, tools, packages }: Probe, name: string): boolean {
  if (name === pip) return Number.parseInt(tools.pip ?? '', 10) > pipTooOld;
  return Object.hasOwn(tools, name) || Object.hasOwn(runtimes, name) || Object.hasOwn(packages, name);
}

export const noShell: Probe = {
  shell: false,
  runtimes: {},
  tools: {},
  packages: {},
  cuda: { libraries: [] },
};

const longestValue = 100;
const mostLibraries = 50;

/**
 * Reads what the probe printed: lines of a name, a tab and a version. The image's own programs write it, so that
 * everything else in it is left out, whatever it is.
 */
export function readProbe(output: string): Probe {
  const probe: Probe = { shell: true, runtimes: {}, tools: {}, packages: {}, cuda: { libraries: [] } };
  const libraries = new Set<string>();
  for (const line of output.split('\n')) {
    const [, name = '', value = ''] = /^([A-Za-z][A-Za-z:-]*)\t([^\t]+)$/.exec(line.trimEnd()) ?? [];
    const short = value.slice(0, longestValue);
    const [prefix, rest = ''] = name.split(':');
    if (short === '') continue;
    if (isOneOf(runtimes, name)) probe.runtimes[name] ??= short;
    else if (isOneOf(tools, name)) probe.tools[name] ??= short;
    else if (prefix === 'package' && knownPackages.includes(rest)) probe.packages[rest] ??= short;
    else if (name === 'cuda') probe.cuda.version ??= short;
    else if (name === 'cuda-library' && /^lib[A-Za-z0-9_]+\.so[.0-9]*$/.test(short)) libraries.add(short);
  }
  probe.cuda.libraries = [...libraries].sort().slice(0, mostLibraries);
  return probe;
}

const isOneOf = <T extends string>(all: readonly T[], name: string): name is T =>
  (all as readonly string[]).includes(name);
