import { afterEach, describe, expect, test } from 'vitest';
import {
  blockedPackets,
  shieldContainers,
  shieldHost,
  unshieldHost,
} from '../../../builder/host/firewall.ts';
import type { Run } from '../../../builder/host/run.ts';

// Nothing else of 169.254.0.0/16: 169.254.169.253 may be the host's resolver.
const metadata = '169.254.169.254,169.254.170.2,169.254.170.23';

const ran: string[] = [];
afterEach(() => void ran.splice(0));
const running =
  (answer: (line: string) => number | string = () => 0): Run =>
  async (program, args) => {
    const line = [program, ...args].join(' ');
    ran.push(line);
    const said = answer(line);
    return typeof said === 'number' ? { exitCode: said, output: 'refused' } : { exitCode: 0, output: said };
  };
const rule = (table: string, flag: string, chain: string, target: string) =>
  `iptables -t ${table} ${flag} ${chain} -d ${metadata} -j ${target}`;
const raw = rule('raw', '-I', 'PREROUTING', 'DROP');
const mangle = rule('mangle', '-I', 'PREROUTING', 'DROP');
const user = rule('filter', '-I', 'DOCKER-USER', 'REJECT');

describe('metadata addresses are walled off', () => {
  test("before routing and in the engine's own chain, and on the host while a build runs", async () => {
    await shieldContainers(running());
    await shieldHost(running());
    await unshieldHost(running());
    expect(ran).toEqual([
      raw,
      user,
      rule('filter', '-I', 'OUTPUT', 'REJECT'),
      rule('filter', '-D', 'OUTPUT', 'REJECT'),
    ]);
  });

  test('in another table where the kernel has no raw one', async () => {
    await shieldContainers(running((line) => (line.includes('-t raw') ? 3 : 0)));
    expect(ran).toEqual([raw, mangle, user]);
  });

  test('where the engine has no chain of its own', async () => {
    await shieldContainers(running((line) => (line.includes('DOCKER-USER') ? 1 : 0)));
  });

  test('or nothing is built', async () => {
    const refusing = running((line) => (line.includes('PREROUTING') ? 4 : 0));
    await expect(shieldContainers(refusing)).rejects.toThrow(/raw PREROUTING: refused; mangle PREROUTING/);
    await expect(shieldHost(running(() => 3))).rejects.toThrow('exit code 3');
  });
});

test('what was blocked is counted by chain', async () => {
  const listed = (packets: number, target: string) =>
    `Chain X (policy ACCEPT 9 packets, 99 bytes)\n pkts bytes target prot opt in out source destination\n ${packets} 60 ${target} all -- * * 0.0.0.0/0 169.254.170.2\n 1 60 ${target} all -- * * 0.0.0.0/0 169.254.169.254\n 7 9 ACCEPT all -- * * 0.0.0.0/0 10.0.0.1\n`;
  const counted = await blockedPackets(
    running((line) => {
      if (line.includes('-t raw')) return listed(2, 'DROP');
      if (line.includes('OUTPUT')) return listed(0, 'REJECT');
      return line.includes('DOCKER-USER') ? 1 : 'Chain PREROUTING\n';
    }),
  );
  expect(counted).toBe('raw PREROUTING 3, filter OUTPUT 1');
});
