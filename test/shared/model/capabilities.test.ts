/** I11: from a probe's output to the kinds of jobs, pure. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  jobKinds,
  noShell,
  pythonPackages,
  readProbe,
  supportOf,
} from '../../../shared/model/capabilities.ts';

const kindsOf = (output: string) =>
  supportOf(readProbe(output))
    .filter(({ supported }) => supported)
    .map(({ kind }) => kind);

const base = ['pip\t24.3.1', 'tar\t1.35'];

describe('I11 the matrix', () => {
  test('pip above 10 and tar are what every kind needs but an experiment', () => {
    expect(kindsOf(base.join('\n'))).toEqual(['experiment', 'vscode']);
    for (const pip of ['10.0.1', '9.0.3', '1.5'])
      expect(kindsOf(`pip\t${pip}\ntar\t1.35`)).toEqual(['experiment']);
    expect(kindsOf('pip\t11.0\ntar\tfound')).toEqual(['experiment', 'vscode']);
    for (const output of ['pip\t24.0', 'tar\t1.35', '']) expect(kindsOf(output)).toEqual(['experiment']);
  });

  test.each([
    ['jupyterlab', ['package:jupyterlab\t4.3']],
    ['rstudio', ['package:rstudio-server\tfound']],
    ['shiny', ['r\t4.4.1', 'package:shiny\t1.9']],
    ['dash', ['package:dash\t2.18', 'package:dash-daq\t0.5']],
    ['voila', ['package:voila\t0.5', 'package:Pygments\t2.18']],
    ['tensorboard-compare', ['package:tensorboard\t2.18']],
    ['serving', ['package:flask\t3.1', 'package:gunicorn\t23.0']],
    ['git', ['git\t2.47', 'ssh\t9.9']],
  ])('%s needs exactly what the matrix says', (kind, needs) => {
    expect(kindsOf([...base, ...needs].join('\n'))).toContain(kind);
    for (const left of needs) {
      const without = [...base, ...needs.filter((one) => one !== left)].join('\n');
      const found = supportOf(readProbe(without)).find((one) => one.kind === kind);
      expect(found).toMatchObject({
        supported: false,
        missing: [left.split('\t')[0]?.replace('package:', '')],
      });
    }
  });

  test('what is optional is named, and hinders nothing', () => {
    const found = supportOf(readProbe([...base, 'package:jupyterlab\t4.3'].join('\n')));
    expect(found.find(({ kind }) => kind === 'experiment')).toMatchObject({
      supported: true,
      missingOptional: ['tensorboard'],
    });
    expect(found.find(({ kind }) => kind === 'jupyterlab')).toMatchObject({
      supported: true,
      missingOptional: ['jupyterlab-git'],
    });
  });

  test('without a shell nothing is supported, and that is why', () => {
    for (const { supported, missing } of supportOf(noShell)) {
      expect(supported).toBe(false);
      expect(missing).toEqual(['/bin/sh']);
    }
  });
});

describe('I11 whatever an image prints', () => {
  const line = fc.oneof(
    fc.string(),
    fc
      .tuple(
        fc.constantFrom(
          'python',
          'pip',
          'tar',
          'r',
          'cuda',
          'cuda-library',
          '__proto__',
          'constructor',
          'toString',
          'package:__proto__',
          ...pythonPackages.map((name) => `package:${name}`),
        ),
        fc.string(),
      )
      .map((parts) => parts.join('\t')),
  );

  test('is read without an error, into bounded values of known names', () => {
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const probe = readProbe(lines.join('\n'));
        for (const value of [...Object.values(probe.runtimes), ...Object.values(probe.packages)])
          expect(value.length).toBeLessThanOrEqual(100);
        for (const name of Object.keys(probe.packages))
          expect([...pythonPackages, 'shiny', 'rstudio-server']).toContain(name);
        expect(supportOf(probe).map(({ kind }) => kind)).toEqual(jobKinds);
      }),
    );
  });

  test('more in an image never makes a kind impossible', () => {
    fc.assert(
      fc.property(
        fc.subarray(pythonPackages.map((name) => `package:${name}\t1.0`)),
        fc.subarray([...base, 'git\t2', 'ssh\t9', 'r\t4']),
        (packages, tools) => {
          const some = kindsOf([...packages, ...tools].join('\n'));
          const all = kindsOf([...packages, ...tools, ...base, 'git\t2', 'ssh\t9', 'r\t4'].join('\n'));
          for (const kind of some) expect(all).toContain(kind);
        },
      ),
    );
  });
});
