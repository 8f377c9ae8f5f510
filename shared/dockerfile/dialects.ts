/**
 * How container engines have read Dockerfiles, each by the BuildKit that it brings. What they read differently may make
 * one of them pull an image that another one doesn't.
 */
export interface Dialect {
  /** The engine that reads like this, and those after it up to the next newer dialect. */
  engine: string;
  /** Whether `<<EOF` begins text, and whether `<< EOF` does. */
  heredocs: 'none' | 'attached' | 'apart';
  /** Whether flags are escaped by the character that `# escape=` names, or by a backslash whatever it says. */
  flagEscape: 'directive' | 'backslash';
  /** Comments that may stand above `# escape=`. */
  directives: readonly string[];
  /** Behind the name in `${NAME…}`. */
  operators: RegExp;
  /** A default above the first `FROM` that cannot be read ends the build, or is empty. */
  unreadableArg: 'refused' | 'empty';
  /** `ARG NAME` above the first `FROM` leaves the value that NAME had, or empties it. */
  bareArg: 'kept' | 'emptied';
  /** Whether `TARGETSTAGE` has a value. */
  targetStage: boolean;
  /** Whether arguments are a list only where nothing stands behind its bracket. */
  wholeLists: boolean;
}

export const newest: Dialect = {
  engine: 'Docker 28.3',
  heredocs: 'apart',
  flagEscape: 'directive',
  directives: ['syntax', 'escape', 'check'],
  operators: /^(?::?[-+?]|[#%/])$/,
  unreadableArg: 'refused',
  bareArg: 'kept',
  targetStage: true,
  wholeLists: true,
};
const docker28: Dialect = {
  ...newest,
  engine: 'Docker 28.0',
  heredocs: 'attached',
  flagEscape: 'backslash',
};
const docker27: Dialect = { ...docker28, engine: 'Docker 27', bareArg: 'emptied', targetStage: false };
const docker26: Dialect = {
  ...docker27,
  engine: 'Docker 26',
  directives: ['syntax', 'escape'],
  unreadableArg: 'empty',
  wholeLists: false,
};
const docker25: Dialect = { ...docker26, engine: 'Docker 25', operators: /^:?[-+?]$/ };
const docker23: Dialect = { ...docker25, engine: 'Docker 23', operators: /^(?::[-+?]|\?)$/ };
const docker20: Dialect = { ...docker23, engine: 'Docker 20.10', heredocs: 'none' };

/** Newest first. */
export const dialects: readonly Dialect[] = [
  newest,
  docker28,
  docker27,
  docker26,
  docker25,
  docker23,
  docker20,
];
