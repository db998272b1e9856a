/** The forward pass of the sigmoid focal loss as an ONNX model, written byte by byte in protobuf's encoding (onnx.proto3). */

type Field = readonly [number: number, value: number | string | Uint8Array]

/** Numbers become varints, all else is preceded by its length. */
function message(...fields: readonly Field[]): Uint8Array {
  const bytes: number[] = []
  for (const [number, value] of fields) {
    if (typeof value === 'number') {
      bytes.push(...varint(number << 3), ...varint(value))
    } else {
      const content = typeof value === 'string' ? new TextEncoder().encode(value) : value
      bytes.push(...varint((number << 3) | 2), ...varint(content.length), ...content)
    }
  }
  return Uint8Array.from(bytes)
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

const FLOAT = 1
const INT64 = 7
const IR_VERSION = 8
const OPSET = 17

/** NodeProto: inputs 1, output 2, operator 4. */
function node(operator: string, inputs: readonly string[], output: string): Field {
  return [1, message(...inputs.map((name): Field => [1, name]), [2, output], [4, operator])]
}

/** TensorProto of no dimension: data_type 2, name 8, raw_data 9. */
function constant(name: string, value: number): Field {
  return [5, message([2, FLOAT], [8, name], [9, new Uint8Array(Float32Array.of(value).buffer)])]
}

/** The same, of one dimension (dims 1) and one entry. */
function axis(name: string, value: number): Field {
  return [5, message([1, 1], [2, INT64], [8, name], [9, new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)])]
}

/** ValueInfoProto: name 1, type 2, which holds a tensor type 1 of elem_type 1 and shape 2. */
function valueInfo(place: number, name: string, dimensions: readonly string[]): Field {
  const shape = message(...dimensions.map((dimension): Field => [1, message([2, dimension])]))
  return [place, message([1, name], [2, message([1, message([1, FLOAT], [2, shape])])])]
}

/** `sum(alpha_t q^2 (softplus(x) - x y))` with `q = p + y - 2 p y`, which is 1 - p_t for labels of 0 and 1. */
export function focalLossModel(alpha: number): Uint8Array {
  const graph = message(
    node('Sigmoid', ['x'], 'p'),
    node('Softplus', ['x'], 'softplus'),
    node('Mul', ['x', 'y'], 'xy'),
    node('Sub', ['softplus', 'xy'], 'cross_entropy'),
    node('Mul', ['p', 'y'], 'py'),
    node('Mul', ['py', 'two'], 'py2'),
    node('Add', ['p', 'y'], 'p_plus_y'),
    node('Sub', ['p_plus_y', 'py2'], 'q'),
    node('Mul', ['q', 'q'], 'modulating'),
    node('Mul', ['y', 'alpha_difference'], 'y_alpha'),
    node('Add', ['y_alpha', 'alpha_negative'], 'alpha_t'),
    node('Mul', ['alpha_t', 'modulating'], 'weight'),
    node('Mul', ['weight', 'cross_entropy'], 'losses'),
    // Row by row first: in one go 16 million float32 lose the sum's digits
    node('ReduceSum', ['losses', 'class_axis'], 'row_sums'),
    node('ReduceSum', ['row_sums'], 'sum'),
    [2, 'focal_loss'],
    axis('class_axis', 1),
    constant('two', 2),
    constant('alpha_difference', 2 * alpha - 1),
    constant('alpha_negative', 1 - alpha),
    valueInfo(11, 'x', ['rows', 'classes']),
    valueInfo(11, 'y', ['rows', 'classes']),
    valueInfo(12, 'sum', ['one', 'one']),
  )
  return message([1, IR_VERSION], [7, graph], [8, message([1, ''], [2, OPSET])])
}
