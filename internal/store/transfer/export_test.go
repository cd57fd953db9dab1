package transfer

// RunInBatches is [Run] with a batch size.
var RunInBatches = runInBatches
