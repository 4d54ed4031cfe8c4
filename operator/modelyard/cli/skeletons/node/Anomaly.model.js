// What the model predicts: a number for each row, higher for stranger ones.

/** How unusual the rooms of a flat are. A row has a value for each column, null where it is missing. */
function predict({ area, rooms }) {
  return Math.abs((area ?? 60) - 27 * (rooms ?? 2)) / 27;
}

module.exports = { predict };
