package canary

// minimise finds a part of items that still fails and of which nothing can be left out: delta debugging, ddmin of
// Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input". All items together must fail. It ends early
// with fails' first error, and what it has by then.
func minimise[T any](items []T, fails func([]T) (bool, error)) ([]T, error) {
	parts := 2
	for len(items) > 1 {
		smaller, next, err := reduce(items, parts, fails)
		if err != nil {
			return items, err
		}
		switch {
		case smaller != nil:
			items, parts = smaller, next
		case parts >= len(items):
			return items, nil
		default:
			parts = min(parts*2, len(items))
		}
	}
	return items, nil
}

// reduce looks for one of the parts, or all but one of them, that fails; nil where there is none.
func reduce[T any](items []T, parts int, fails func([]T) (bool, error)) ([]T, int, error) {
	bounds := func(i int) (int, int) { return i * len(items) / parts, (i + 1) * len(items) / parts }
	for i := range parts {
		from, to := bounds(i)
		if failed, err := fails(items[from:to:to]); err != nil || failed {
			return items[from:to:to], 2, err
		}
	}
	if parts == 2 {
		return nil, 0, nil // The rest of one half is the other half.
	}
	for i := range parts {
		from, to := bounds(i)
		rest := append(append([]T{}, items[:from]...), items[to:]...)
		if failed, err := fails(rest); err != nil || failed {
			return rest, max(parts-1, 2), err
		}
	}
	return nil, 0, nil
}
