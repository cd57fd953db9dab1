package transfer

// RunInBatches is [Run] with batches of a test's size.
var RunInBatches = runInBatches
