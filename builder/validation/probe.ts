/** I11: asks an image what is in it, in the POSIX shell of the image. */
import { pythonPackages } from '../../shared/model/capabilities.ts';

/** The first line that it prints: an image that comes so far has a shell. */
export const probeBegins = 'slipway-probe 1';
export const probeEnds = 'slipway-probe end';

/** Printed as `name<TAB>version`. Names of packages are compared as PyPI compares them. */
const python = `
import re
try:
    from importlib import metadata
except ImportError:
    import importlib_metadata as metadata
plain = lambda name: re.sub(r'[-_.]+', '-', name).lower()
wanted = {plain(name): name for name in ${JSON.stringify(pythonPackages)}}
for one in metadata.distributions():
    name = wanted.get(plain(one.metadata['Name'] or ''))
    if name:
        print('package:%s\\t%s' % (name, one.version))
`.trim();

const r = `if (requireNamespace("shiny", quietly = TRUE)) cat("package:shiny\\t", as.character(packageVersion("shiny")), "\\n", sep = "")`;

/** Nothing a user wrote is in it. Programs that hang are ended by the time that the whole probe has. */
export const probe = `echo '${probeBegins}'
tell() { [ -z "$2" ] || printf '%s\\t%s\\n' "$1" "$2"; }
there() { command -v "$1" >/dev/null 2>&1; }
number() { sed -n 's/^[^0-9]*\\([0-9][0-9A-Za-z.+~-]*\\).*$/\\1/p' | head -n 1; }
py=
for one in python3 python; do there $one && { py=$one; break; }; done
if [ -n "$py" ]; then
  tell python "$($py --version 2>&1 | number)"
  tell pip "$($py -m pip --version 2>/dev/null | number)"
  $py -c "$SLIPWAY_PYTHON" 2>/dev/null
fi
there pip && tell pip "$(pip --version 2>/dev/null | number)"
if there R; then
  tell r "$(R --version 2>/dev/null | number)"
  there Rscript && Rscript --vanilla -e "$SLIPWAY_R" 2>/dev/null
fi
there julia && tell julia "$(julia --version 2>/dev/null | number)"
there node && tell node "$(node --version 2>/dev/null | number)"
there tar && { version=$(tar --version 2>/dev/null | number); tell tar "\${version:-found}"; }
there git && tell git "$(git --version 2>/dev/null | number)"
there ssh && { version=$(ssh -V 2>&1 | number); tell ssh "\${version:-found}"; }
for one in rserver rstudio-server /usr/lib/rstudio-server/bin/rserver; do
  there $one && { version=$($one --version 2>/dev/null | number); tell package:rstudio-server "\${version:-found}"; break; }
done
tell cuda "$CUDA_VERSION"
for folder in /usr/local/cuda*/lib64 /usr/local/cuda*/targets/*/lib /usr/lib/*-linux-gnu /usr/lib64 /opt/conda/lib /usr/local/lib/python3*/*-packages/nvidia/*/lib /opt/conda/lib/python3*/site-packages/nvidia/*/lib; do
  for file in "$folder"/libcudart.so* "$folder"/libcublas.so* "$folder"/libcudnn.so* "$folder"/libnccl.so* "$folder"/libcufft.so*; do
    [ -e "$file" ] && tell cuda-library "\${file##*/}"
  done
done
echo '${probeEnds}'
`;

/** Programs of other languages travel beside the script: no shell has to quote them. */
export const probeEnvironment = { SLIPWAY_PYTHON: python, SLIPWAY_R: r };
