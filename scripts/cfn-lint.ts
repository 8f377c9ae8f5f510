/** cfn-lint, which checks CloudFormation templates against the schemas of each region. */
import { CommandError } from './command.ts';
import { runPythonTool } from './python-tools.ts';

/** cfn-lint ends with a sum of 2 (errors), 4 (warnings) and 8 (information) where it has found something. */
const exitCodes = /: exit code (2|4|6|8|10|12|14)\b/;

/** Checks templates for the regions; `ignored` are ids of rules. Returns what it says: nothing where all is well. */
export async function lintTemplates(files: string[], regions: string[], ignored: string[]): Promise<string> {
  const options = ['--regions', ...regions, '--ignore-checks', ...ignored, '--format', 'parseable'];
  try {
    return await runPythonTool('cfn-lint', 'cfn-lint', [...options, '--', ...files]);
  } catch (error) {
    if (!(error instanceof CommandError) || !exitCodes.test(error.message)) throw error;
    return error.output;
  }
}
