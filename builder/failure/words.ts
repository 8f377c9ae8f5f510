/** Takes the reason out of what engines say: Docker 20.10, 23 and later, buildx, and the classic builder. */

export interface Reason {
  /** What is left when all that engines put around it is taken off. */
  text: string;
  /** Whether a command of the Dockerfile was running. */
  isCommand: boolean;
  /** Of that command; 137 as well where the engine says that the kernel had no memory left for it. */
  exitCode?: number;
}

/** Put before a reason by the client, the solver and gRPC, in any order and number. */
const wrappers = [
  /^error: /i,
  /^Error response from daemon: /,
  /^unknown: /i,
  /^failed to (?:build|solve(?: with frontend \S+)?|create LLB definition|receive status|load cache key|compute cache key): /,
  /^rpc error: code = \w+ desc = /,
  /^(?:Canceled|InvalidArgument|DeadlineExceeded|NotFound|AlreadyExists|PermissionDenied|ResourceExhausted|FailedPrecondition|Aborted|OutOfRange|Unimplemented|Internal|Unavailable|DataLoss|Unauthenticated): /,
];

/** Put before what became of a command. What it was to run may be anything, these words included. */
const ofCommand = [
  /^process ".*" did not complete successfully: (?<rest>.*)$/s,
  /^executor failed running \[.*\]: (?<rest>.*)$/s,
  /^The command '.*' (?<rest>returned a non-zero code: \d+.*)$/s,
];

/** As shells count them: 128 and the signal's number. */
const signals: Record<string, number> = {
  interrupt: 130,
  aborted: 134,
  killed: 137,
  'segmentation fault': 139,
  terminated: 143,
};

export function reasonIn(message: string): Reason {
  let text = message.trim();
  let isCommand = false;
  for (;;) {
    const wrapper = wrappers.find((one) => one.test(text));
    const inner = ofCommand.map((one) => one.exec(text)?.groups?.rest).find((rest) => rest !== undefined);
    if (wrapper) text = text.replace(wrapper, '');
    else if (inner !== undefined) {
      text = inner;
      isCommand = true;
    } else return { text: withoutMounts(text), isCommand, exitCode: exitCodeIn(text, isCommand) };
  }
}

function exitCodeIn(text: string, isCommand: boolean): number | undefined {
  const [, code] = /^(?:exit (?:code|status):? |returned a non-zero code: )(\d+)/.exec(text) ?? [];
  if (code !== undefined) return Number(code);
  if (!isCommand) return undefined;
  if (/^cannot allocate memory/.test(text)) return signals.killed;
  return signals[/^signal: ([a-z ]*[a-z])/.exec(text)?.[1] ?? ''];
}

/** Where an engine has mounted an image while it builds: says nothing to anybody. */
const mounts =
  /(?<=^|[\s"])\/\S*?\/(?:buildkit-mount\d+|overlay2\/[a-z0-9]+\/(?:merged|diff)|cachemounts\/buildkit\d+|tmpmounts\/containerd-mount\d+)(?=[/:\s"]|$)/g;
const withoutMounts = (text: string) => text.replace(mounts, '');

/** Whether an error that begins with this goes on in the next line: older engines print a command's own line feeds. */
export const isUnfinished = (message: string) =>
  /^(?:.*: )?executor failed running \[/.test(message) && !/\]: [^\]]+$/.test(message);
