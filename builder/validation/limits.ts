/** What a container of a check may use. */
export const limits = ['--memory', '2g', '--pids-limit', '4096', '--log-opt', 'max-size=10m'];
