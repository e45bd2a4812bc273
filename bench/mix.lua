-- Nine taps out of ten requests; the tenth is a page.
local paths = {
   "/t/BENCHURL", "/q/BENCHURL", "/t/BENCHURL", "/t/BENCHPRO", "/card/benchurl/", "/t/BENCHURL", "/q/BENCHURL",
   "/t/BENCHURL", "/t/BENCHURL", nil,
}
local pages = { "/", "/p/ada", "/log-in", "/terms" }
local n = 0
function request()
   n = n + 1
   local path = paths[n % 10 + 1] or pages[math.floor(n / 10) % #pages + 1]
   return wrk.format("GET", path, { ["User-Agent"] = "bench/" .. (n % 500) })
end
