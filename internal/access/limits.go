package access

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"kartotek/internal/fault"
)

// RateLimits limits the requests of each account and key, and those of all accounts and keys of a
// tenant. It is safe for concurrent use.
type RateLimits struct {
	callers  *limiterPool[string]
	tenants  *limiterPool[string]
	rejected *limiterPool[string]
}

// NewRateLimits allows each caller perSecond requests on average, in bursts of at most burst, and
// each tenant perTenant requests, in bursts that are as many times larger.
func NewRateLimits(perSecond, burst, perTenant int, now func() time.Time) *RateLimits {
	return &RateLimits{
		callers:  newLimiterPool[string](rate.Limit(perSecond), burst, now),
		tenants:  newLimiterPool[string](rate.Limit(perTenant), max(1, burst*perTenant/perSecond), now),
		rejected: newLimiterPool[string](10, 100, now),
	}
}

// Quota is the state of a caller's rate limit.
type Quota struct {
	Limit     int           // the burst size
	Remaining int           // requests allowed now
	Reset     time.Duration // time without requests until Remaining equals Limit
}

// Allow counts a request of the actor. When the actor is over its limit, Allow counts
// nothing and returns a RateLimited fault.
func (l *RateLimits) Allow(by Actor) (Quota, error) {
	tokens, ok := l.callers.allow(by.ID)
	quota := Quota{
		Limit:     l.callers.burst,
		Remaining: int(tokens),
		Reset:     l.callers.waitFor(float64(l.callers.burst), tokens),
	}
	if !ok {
		return quota, rateLimited(l.callers.waitFor(1, tokens))
	}
	if tokens, ok := l.tenants.allow(by.Tenant); !ok {
		return quota, rateLimited(l.tenants.waitFor(1, tokens))
	}
	return quota, nil
}

// Pause is how long to wait before the actor gets the response to a rejected request. It is 0 unless
// the actor has ignored many such responses: the pause then limits what they cost.
func (l *RateLimits) Pause(by Actor) time.Duration {
	if _, ok := l.rejected.allow(by.ID); ok {
		return 0
	}
	return time.Second
}

func rateLimited(wait time.Duration) error {
	return &fault.Fault{Kind: fault.RateLimited, Text: "too many requests", RetryAfter: wait}
}

// limiterPool holds a token bucket for each recently used K. When full, it evicts the
// least recently used bucket; an evicted key starts again with a full one.
type limiterPool[K comparable] struct {
	rate     rate.Limit // tokens per second
	burst    int        // size of a bucket
	now      func() time.Time
	mu       sync.Mutex
	limiters *simplelru.LRU[K, *rate.Limiter]
}

func newLimiterPool[K comparable](perSecond rate.Limit, burst int, now func() time.Time) *limiterPool[K] {
	limiters, err := simplelru.NewLRU[K, *rate.Limiter](maxEntries, nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &limiterPool[K]{rate: perSecond, burst: burst, now: now, limiters: limiters}
}

// allow takes a token, if there is a whole one, and returns the remaining tokens.
func (p *limiterPool[K]) allow(k K) (tokens float64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bucket, now := p.limiter(k), p.now()
	ok = bucket.AllowN(now, 1)
	return bucket.TokensAt(now), ok
}

// penalize takes a token even from an empty bucket, which goes negative.
func (p *limiterPool[K]) penalize(k K) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limiter(k).ReserveN(p.now(), 1)
}

func (p *limiterPool[K]) limiter(k K) *rate.Limiter {
	bucket, ok := p.limiters.Get(k)
	if !ok {
		bucket = rate.NewLimiter(p.rate, p.burst)
		p.limiters.Add(k, bucket)
	}
	return bucket
}

// wait returns the time until k has a token. It adds no bucket.
func (p *limiterPool[K]) wait(k K) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	bucket, ok := p.limiters.Get(k)
	if !ok {
		return 0
	}
	return p.waitFor(1, bucket.TokensAt(p.now()))
}

// waitFor returns the time until a bucket with have tokens has want.
func (p *limiterPool[K]) waitFor(want, have float64) time.Duration {
	return time.Duration((want - have) / float64(p.rate) * float64(time.Second))
}
