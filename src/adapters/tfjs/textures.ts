/** How TensorFlow.js's webgl backend lays numbers out in textures, and shader functions that read them there. */

/** What the backend keeps of a tensor. */
export interface TextureData {
  /** Of the tensor that was packed, whatever it has been reshaped to since. */
  readonly shape: readonly number[]
  isPacked?: boolean
  /** `null`: the numbers are not on the GPU. */
  texture: object | null
  /** In numbers: packed, two by two are a texel. */
  texShape: readonly number[] | null
}

/** A packed texture: a texel has two numbers of two rows each. */
export interface Layout {
  readonly shape: readonly number[]
  readonly columns: number
  /** Of each matrix. */
  readonly rows: number
  /** Whether matrices have an odd number of rows, to which one is added. */
  readonly isPadded: boolean
  /** In texels, height and width. */
  readonly size: readonly number[]
  /** Whether a line of texels is a line of the matrix. */
  readonly isWhole: boolean
}

/** `null`: it is not packed. */
export function layoutOf({ shape, isPacked, texture, texShape }: TextureData): Layout | null {
  if (!isPacked || texture === null || texShape === null) return null
  const columns = shape[shape.length - 1] ?? 1
  const rows = shape[shape.length - 2] ?? 1
  const size = texShape.map((length) => Math.max(1, Math.ceil(length / 2)))
  const isPadded = rows % 2 === 1 && shape.slice(0, -2).some((length) => length > 1)
  return { shape, columns, rows, isPadded, size, isWhole: size[1] === Math.ceil(columns / 2) }
}

/** An input of a program in GLSL: `float read_NAME(int i)`, and the numbers that this needs. */
export interface Input {
  readonly read: string
  readonly uniforms: Readonly<Record<string, number>>
}

/** What is so short may come as a uniform; of a texture this takes half the time of TensorFlow.js's own function. */
export function plain(name: string, size: number): Input {
  if (size <= 4) return input(name, `return get${name[0].toUpperCase()}${name.slice(1)}(i);`)
  return input(name, `// A slice of a tensor shares its texture
  int at = i + offset${name};
  int row = at / ${name}TexShape[1];
  return texelFetch(${name}, ivec2(at - row * ${name}TexShape[1], row), 0).r;`)
}

/** A packed texture as it is, where TensorFlow.js would unpack it into another one first. */
export function packed(name: string, { columns, rows, isPadded, isWhole }: Layout): Input {
  const uniforms = { [`${name}Columns`]: columns, ...(isPadded && { [`${name}Rows`]: rows }) }
  return input(name, `int row = i / ${name}Columns;
  int column = i - row * ${name}Columns;
${isPadded ? `  row += row / ${name}Rows;\n` : ''}  ivec2 at = ivec2(column >> 1, row >> 1);
${isWhole ? '' : `  int texel = at.y * ((${name}Columns + 1) >> 1) + at.x;\n  at = ivec2(texel % ${name}TexShape[1], texel / ${name}TexShape[1]);\n`}  vec4 numbers = texelFetch(${name}, at, 0);
  vec2 pair = (row & 1) == 0 ? numbers.xy : numbers.zw;
  return (column & 1) == 0 ? pair.x : pair.y;`, uniforms)
}

/** What a kernel made four numbers at a time: packed, a texel each, unless TensorFlow.js has unpacked it since. */
export function vectors(name: string, layout: Layout | null): Input {
  const body =
    layout === null
      ? `vec4 numbers;
  for (int k = 0; k < 4; k += 1) {
    int at = 4 * i + k;
    numbers[k] = texelFetch(${name}, ivec2(at % ${name}TexShape[1], at / ${name}TexShape[1]), 0).r;
  }
  return numbers;`
      : `return texelFetch(${name}, ivec2(i % ${name}TexShape[1], i / ${name}TexShape[1]), 0);`
  return { read: `vec4 read_${name}(int i) {\n  ${body}\n}\n`, uniforms: {} }
}

/** A packed texture of which the result reads a texel for all numbers there: what `lane` says of this. */
export function held(name: string): Input {
  return { read: `vec4 held_${name};\nfloat read_${name}(int i) {\n  return held_${name}[lane];\n}\n`, uniforms: {} }
}

function input(name: string, body: string, uniforms: Input['uniforms'] = {}): Input {
  return { read: `float read_${name}(int i) {\n  ${body}\n}\n`, uniforms }
}

/** How a program's result is laid out, and `main`, which fills it, with what that needs. */
export interface Output {
  readonly shape: readonly number[]
  readonly isPacked: boolean
  readonly declared: string
  readonly main: string
  readonly uniforms: Readonly<Record<string, number>>
}

/** One number after another. */
export function numbersOut(size: number): Output {
  return { shape: [size], isPacked: false, declared: '', main: 'setOutput(output_at(getOutputCoords()));', uniforms: {} }
}

/** Four at a time: packed, a texel has the four numbers of two rows of two. */
export function vectorsOut(size: number): Output {
  return { shape: [size / 2, 2], isPacked: true, declared: '', main: 'setOutput(output_at(getOutputCoords().x / 2));', uniforms: {} }
}

/**
 * Packed like an input, which takes one invocation for four numbers. What is beyond the matrix must be 0 for TensorFlow.js.
 *
 * @param names the held inputs.
 */
export function packedOut({ shape, columns }: Layout, names: readonly string[]): Output {
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const fetched = names.map((name) => `held_${name} = texelFetch(${name}, ivec2(gl_FragCoord.xy), 0);\n  `)
  // A loop over them takes half as long again
  const each = [0, 1, 2, 3].map((k) => `lane = ${k};
  at = corner + ivec2(${k & 1}, ${k >> 1});
  if (at.x < resultColumns && at.y < resultRows) {
    numbers[${k}] = output_at(at.y * resultColumns + at.x);
  }
  `)
  const main = `ivec2 corner = 2 * ivec2(gl_FragCoord.xy);
  ivec2 at;
  vec4 numbers = vec4(0.0);
  ${fetched.join('')}${each.join('')}setOutput(numbers);`
  return { shape, isPacked: true, declared: 'int lane;\n', main, uniforms: { resultColumns: columns, resultRows: rows } }
}

/** Partial sums of whole rows of packed inputs: two terms of a row have one texel. */
export function packedSums({ columns }: Layout, names: readonly string[], size: number): Output {
  const fetched = names.map((name) => `held_${name} = texelFetch(${name}, ivec2(pair, row >> 1), 0);
    if ((row & 1) == 1) {
      held_${name} = held_${name}.zwxy;
    }
    `)
  const main = `int k = getOutputCoords();
  int group = k / parts;
  int pairs = (ofColumns + 1) >> 1;
  int rows = each / ofColumns;
  float total = 0.0;
  for (int at = k - group * parts; at < rows * pairs; at += parts) {
    int above = at / pairs;
    int pair = at - above * pairs;
    int row = group * rows + above;
    int i = row * ofColumns + 2 * pair;
    ${fetched.join('')}lane = 0;
    total += term_at(i);
    if (2 * pair + 1 < ofColumns) {
      lane = 1;
      total += term_at(i + 1);
    }
  }
  setOutput(total * scale_of());`
  return { shape: [size], isPacked: false, declared: 'int lane;\n', main, uniforms: { ofColumns: columns } }
}
