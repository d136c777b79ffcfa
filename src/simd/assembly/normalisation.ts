// x lies in memory as (rows, C): a row for every pixel of every image. Sums run in float64, so that many rows lose nothing.

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

/** Mean and biased variance of every channel, in two passes. */
export function batchStatistics(x: usize, mean: usize, variance: usize, rows: i32, C: i32): void {
  for (let c = 0; c < C; c++) {
    let sum: f64 = 0;
    for (let row = 0; row < rows; row++) sum += load<f32>(at(x, row * C + c));
    const middle = sum / rows;
    let squares: f64 = 0;
    for (let row = 0; row < rows; row++) {
      const apart = load<f32>(at(x, row * C + c)) - middle;
      squares += apart * apart;
    }
    store<f32>(at(mean, c), middle as f32);
    store<f32>(at(variance, c), (squares / rows) as f32);
  }
}

/** √(variance + eps) of every channel. */
export function deviations(variance: usize, deviation: usize, C: i32, eps: f32): void {
  for (let c = 0; c < C; c++) store<f32>(at(deviation, c), sqrt(load<f32>(at(variance, c)) + eps));
}

/** x̂ = (x − mean) / deviation */
// @ts-ignore: decorator
@inline
function normalised(x: usize, mean: usize, deviation: usize, row: i32, c: i32, C: i32): f32 {
  return (load<f32>(at(x, row * C + c)) - load<f32>(at(mean, c))) / load<f32>(at(deviation, c));
}

/** y = gamma · x̂ + beta */
export function normalise(
  x: usize,
  gamma: usize,
  beta: usize,
  mean: usize,
  deviation: usize,
  y: usize,
  rows: i32,
  C: i32,
): void {
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < C; c++) {
      const scaled = load<f32>(at(gamma, c)) * normalised(x, mean, deviation, row, c, C);
      store<f32>(at(y, row * C + c), scaled + load<f32>(at(beta, c)));
    }
}

/** dgamma = Σ dy · x̂, dbeta = Σ dy, both over the rows */
export function normaliseParameterGradients(
  dy: usize,
  x: usize,
  mean: usize,
  deviation: usize,
  dgamma: usize,
  dbeta: usize,
  rows: i32,
  C: i32,
): void {
  for (let c = 0; c < C; c++) {
    let along: f64 = 0;
    let sum: f64 = 0;
    for (let row = 0; row < rows; row++) {
      const slope = load<f32>(at(dy, row * C + c));
      along += (slope as f64) * normalised(x, mean, deviation, row, c, C);
      sum += slope;
    }
    store<f32>(at(dgamma, c), along as f32);
    store<f32>(at(dbeta, c), sum as f32);
  }
}

/** dx = gamma · dy / deviation: mean and deviation given, as in inference */
export function normaliseInputGradient(dy: usize, gamma: usize, deviation: usize, dx: usize, rows: i32, C: i32): void {
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < C; c++) {
      const slope = load<f32>(at(gamma, c)) / load<f32>(at(deviation, c));
      store<f32>(at(dx, row * C + c), slope * load<f32>(at(dy, row * C + c)));
    }
}

/** dx = gamma / deviation · (dy − (dbeta + x̂·dgamma) / rows): mean and deviation are those of x, as in training */
export function batchNormInputGradient(
  dy: usize,
  x: usize,
  gamma: usize,
  mean: usize,
  deviation: usize,
  dgamma: usize,
  dbeta: usize,
  dx: usize,
  rows: i32,
  C: i32,
): void {
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < C; c++) {
      const part = normalised(x, mean, deviation, row, c, C) * load<f32>(at(dgamma, c));
      const along = (load<f32>(at(dbeta, c)) + part) / (rows as f32);
      const slope = load<f32>(at(gamma, c)) / load<f32>(at(deviation, c));
      store<f32>(at(dx, row * C + c), slope * (load<f32>(at(dy, row * C + c)) - along));
    }
}

/** running = decay · running + weight · batch: the statistics for inference, after one more batch */
export function updateRunning(running: usize, batch: usize, y: usize, C: i32, decay: f32, weight: f32): void {
  for (let c = 0; c < C; c++)
    store<f32>(at(y, c), decay * load<f32>(at(running, c)) + weight * load<f32>(at(batch, c)));
}
