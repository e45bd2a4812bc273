-- Keeps a connection from asking again at once: a pause around PAUSE milliseconds before each request.
local pause = tonumber(os.getenv("PAUSE"))
function delay()
   return math.random(0, math.floor(2 * pause + 0.5))
end
