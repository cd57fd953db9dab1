package access

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"kartotek/internal/fault"
)

// RateLimits is how often each account and each key may ask. It is safe for
// concurrent use.
type RateLimits struct {
	callers *buckets[string]
}

// NewRateLimits lets every caller ask so many times a second on average, and burst
// times at once.
func NewRateLimits(perSecond, burst int, now func() time.Time) *RateLimits {
	return &RateLimits{newBuckets[string](rate.Limit(perSecond), burst, now)}
}

// Quota is what a caller may still ask.
type Quota struct {
	Limit     int           // requests at once, after a rest
	Remaining int           // requests at once, now
	Reset     time.Duration // the rest that it takes until Remaining is Limit
}

// Allow counts a request of the actor. It is a RateLimited fault, and counts nothing,
// when the actor has asked too often.
func (l *RateLimits) Allow(by Actor) (Quota, error) {
	caller := by.Tenant + " " + by.Name // a tenant holds no space
	left, ok := l.callers.take(caller)
	budget := Quota{
		Limit:     l.callers.burst,
		Remaining: int(left),
		Reset:     l.callers.until(float64(l.callers.burst), left),
	}
	if !ok {
		return budget, limited(l.callers.until(1, left))
	}
	return budget, nil
}

func limited(wait time.Duration) error {
	return &fault.Fault{Kind: fault.RateLimited, Text: "too many requests", RetryAfter: wait}
}

// buckets is a token bucket for each K that has been heard of lately. A full
// memory forgets the one that has rested longest. Who comes back then finds a
// full bucket: no more than a stranger has.
type buckets[K comparable] struct {
	rate  rate.Limit // tokens a second
	burst int        // tokens in a full bucket
	now   func() time.Time
	mu    sync.Mutex
	known *simplelru.LRU[K, *rate.Limiter]
}

func newBuckets[K comparable](perSecond rate.Limit, burst int, now func() time.Time) *buckets[K] {
	known, err := simplelru.NewLRU[K, *rate.Limiter](remembered, nil)
	if err != nil {
		panic(err) // there is room for some
	}
	return &buckets[K]{rate: perSecond, burst: burst, now: now, known: known}
}

// take takes a token, if there is a whole one, and returns how many are left.
func (b *buckets[K]) take(k K) (left float64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, now := b.bucket(k), b.now()
	ok = bucket.AllowN(now, 1)
	return bucket.TokensAt(now), ok
}

// charge takes a token even where there is none: the bucket then owes it.
func (b *buckets[K]) charge(k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bucket(k).ReserveN(b.now(), 1)
}

func (b *buckets[K]) bucket(k K) *rate.Limiter {
	bucket, ok := b.known.Get(k)
	if !ok {
		bucket = rate.NewLimiter(b.rate, b.burst)
		b.known.Add(k, bucket)
	}
	return bucket
}

// left is how many tokens there are, or fewer than none that are owed.
func (b *buckets[K]) left(k K) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, ok := b.known.Get(k)
	if !ok {
		return float64(b.burst)
	}
	return bucket.TokensAt(b.now())
}

// until is how long it takes from left tokens to want.
func (b *buckets[K]) until(want, left float64) time.Duration {
	return time.Duration((want - left) / float64(b.rate) * float64(time.Second))
}
