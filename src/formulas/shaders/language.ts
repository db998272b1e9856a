/**
 * The language of the shaders: a subset of WGSL, which one pass of replacements makes GLSL ES 3.00 of. So a formula is written
 * once for WebGPU and WebGL. Every `let`, `var` and `const` states its type, and a number is a decimal fraction. What a call sets is
 * `uniforms.name`, in GLSL a variable of that name.
 */

/** WGSL, as it is written. */
export type ShaderText = string

/** A number as both languages read it: the nearest float32, with a point and an exponent. */
export function literal(value: number): string {
  return Math.fround(value).toExponential(9)
}

const types: readonly (readonly [RegExp, string])[] = [
  [/\bf32\b/g, 'float'],
  [/\bi32\b/g, 'int'],
]

const functions = `
float select(float otherwise, float then, bool condition) { return condition ? then : otherwise; }
`

/** The same shader functions in GLSL ES 3.00. */
export function toGlsl(text: ShaderText): string {
  const glsl = text
    .replace(/\bstruct (\w+) \{([^}]*)\}/g, (_, name: string, fields: string) => `struct ${name} {${fieldsOf(fields)}};`)
    .replaceAll('vec4<f32>', 'vec4')
    .replace(/\bfn (\w+)\(([^)]*)\) -> (\w+)/g, (_, name: string, parameters: string, result: string) => `${result} ${name}(${parametersOf(parameters)})`)
    .replace(/\bconst (\w+): (\w+)/g, 'const $2 $1')
    .replace(/\b(?:let|var) (\w+): (\w+)/g, '$2 $1')
    .replace(/\buniforms\.(\w+)/g, '$1')
    .replace(/\bbitcast<i32>/g, 'floatBitsToInt')
    .replace(/\bbitcast<f32>/g, 'intBitsToFloat')
  return functions + types.reduce((result, [wgsl, name]) => result.replace(wgsl, name), glsl)
}

/** `a: f32, b: f32` as `f32 a; f32 b;`. */
function fieldsOf(list: string): string {
  return parametersOf(list).split(',').map((field) => (field.trim() === '' ? field : `${field.trimEnd()};`)).join('')
}

function parametersOf(list: string): string {
  return list.replace(/(\w+): (\w+)/g, '$2 $1')
}
