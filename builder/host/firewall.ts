/**
 * A wall around the addresses that give out the builder's credentials, on a build host that is ours alone (CodeBuild's).
 * Nothing here is ever done to a machine that somebody else uses.
 */
import { say } from '../output.ts';
import { type Run, run as runProgram } from './run.ts';

/**
 * Metadata of EC2, and credentials of tasks and pods. Not their whole network: the host's resolver and clock live
 * there as well. One call of iptables makes a rule of each.
 */
export const metadataAddresses = ['169.254.169.254', '169.254.170.2', '169.254.170.23'];
const metadata = metadataAddresses.join(',');

interface Rule {
  table: 'raw' | 'mangle' | 'filter';
  chain: 'PREROUTING' | 'DOCKER-USER' | 'OUTPUT';
  target: 'DROP' | 'REJECT';
}

/** Before anything is routed: whether what comes from a bridge meets the other rules is the host kernel's choice. */
const beforeRouting: Rule[] = [
  { table: 'raw', chain: 'PREROUTING', target: 'DROP' },
  { table: 'mangle', chain: 'PREROUTING', target: 'DROP' },
];
const ofContainers: Rule = { table: 'filter', chain: 'DOCKER-USER', target: 'REJECT' };
const ofHost: Rule = { table: 'filter', chain: 'OUTPUT', target: 'REJECT' };

const nameOf = ({ table, chain }: Rule) => `${table} ${chain}`;

const change = (run: Run, flag: '-I' | '-D', { table, chain, target }: Rule) =>
  run('iptables', ['-t', table, flag, chain, '-d', metadata, '-j', target]);

/**
 * From now on no container of a build reaches the metadata addresses. Throws where the kernel takes no rule that counts
 * before routing; the engine's own chain is a second wall, which not every engine has.
 */
export async function shieldContainers(run: Run = runProgram): Promise<void> {
  const refusals: string[] = [];
  for (const rule of beforeRouting) {
    const { exitCode, output } = await change(run, '-I', rule);
    if (exitCode === 0) break;
    refusals.push(`${nameOf(rule)}: ${output.trim() || `exit code ${exitCode}`}`);
  }
  if (refusals.length === beforeRouting.length)
    throw new Error(`iptables can't block the metadata addresses: ${refusals.join('; ')}`);
  const { exitCode, output } = await change(run, '-I', ofContainers);
  if (exitCode !== 0) say(`the engine has no chain ${ofContainers.chain}: ${output.trim()}`);
}

/**
 * Nor does anything on the host, BuildKit's own `ADD http://…` included, while a build runs. The builder holds what
 * it needs by then, and lifts this before it talks to AWS again.
 */
export const shieldHost = (run: Run = runProgram) => must(run, '-I', ofHost);
export const unshieldHost = (run: Run = runProgram) => must(run, '-D', ofHost);

async function must(run: Run, flag: '-I' | '-D', rule: Rule): Promise<void> {
  const { exitCode, output } = await change(run, flag, rule);
  if (exitCode !== 0)
    throw new Error(`iptables ${flag} ${nameOf(rule)} ended with exit code ${exitCode}: ${output.trim()}`);
}

/**
 * How many packets each rule has stopped: an operator sees whether a build asked for credentials, and on a new kind of
 * host which of the rules count.
 */
export async function blockedPackets(run: Run = runProgram): Promise<string> {
  const counted: string[] = [];
  for (const rule of [...beforeRouting, ofContainers, ofHost]) {
    const { exitCode, output } = await run('iptables', ['-t', rule.table, '-nvxL', rule.chain]);
    const packets = exitCode === 0 ? packetsIn(output) : undefined;
    if (packets !== undefined) counted.push(`${nameOf(rule)} ${packets}`);
  }
  return counted.join(', ');
}

/** The sum of our rules' counters; nothing where the chain has none of them. */
function packetsIn(listing: string): number | undefined {
  const ours = listing
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => metadataAddresses.some((address) => words.includes(address)));
  return ours.length === 0 ? undefined : ours.reduce((sum, [packets]) => sum + Number(packets), 0);
}
