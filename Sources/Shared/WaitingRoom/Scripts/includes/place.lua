-- A waiting person is one member of the sorted set `waiting`. The score's whole part is the sequence number, which alone decides the
-- order; its fraction is the second of the last sign of life, modulo 2^17 (36 hours), in units of 2^-17. A later sign changes only
-- the fraction, so nobody moves. 36 bits are left for the sequence number.
local SEEN_UNITS = 131072
-- A sign of life at most so many seconds in the future is one from before the clock was set back; any other is long past.
local SEEN_AHEAD = 7200

local function place(sequence, second)
  return sequence + (second % SEEN_UNITS) / SEEN_UNITS
end

local function place_sequence(score)
  return math.floor(score)
end

-- Seconds since the last sign of life; 0 when it lies in the future.
local function place_silence(score, second)
  local age = (second - math.floor((score % 1) * SEEN_UNITS + 0.5)) % SEEN_UNITS
  return age < SEEN_UNITS - SEEN_AHEAD and age or 0
end
