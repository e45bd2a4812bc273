-- Waits before each request: on average PAUSE milliseconds.
local pause = tonumber(os.getenv("PAUSE"))
function delay()
   return math.random(0, math.floor(2 * pause + 0.5))
end
