import { noShell, type Probe, readProbe, supportOf } from '../../shared/model/capabilities.ts';
import type { CapabilitiesResult } from '../../shared/model/validation.ts';
import { BuildError } from '../build-error.ts';
import { inShell } from './arguments.ts';
import type { Engine } from './container.ts';
import { probe, probeBegins, probeEnds, probeEnvironment } from './probe.ts';

const probeSeconds = 180;

/** Runs the probe in the image, without a network. Throws `BuildError` where the image can't be run here at all. */
export async function findCapabilities(
  engine: Engine,
  image: string,
  name: string,
): Promise<CapabilitiesResult> {
  const { exitCode, lines, timedOut } = await engine.run(
    inShell(name, image, probe, probeEnvironment),
    probeSeconds,
  );
  const found = probeOf(exitCode, lines, timedOut);
  return { ...found, kinds: supportOf(found) };
}

/** 126 and 127 are the engine's words for a program that can't be run, or isn't there. */
function probeOf(exitCode: number, lines: string[], timedOut: boolean): Probe {
  if (lines.includes(probeEnds)) return readProbe(lines.slice(lines.indexOf(probeBegins)).join('\n'));
  if (timedOut)
    throw new BuildError({
      code: 'timed-out',
      message: `The programs of the image did not report their versions within ${probeSeconds} s.`,
      lastLines: lines.slice(-25),
    });
  if (!lines.includes(probeBegins) && (exitCode === 126 || exitCode === 127)) return noShell;
  throw new BuildError({
    code: 'source-unsupported',
    message: `The image can't run here (exit code ${exitCode}): ${lines.at(-1) ?? 'no output'}`,
    lastLines: lines.slice(-25),
  });
}
